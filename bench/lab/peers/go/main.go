// usage: go tcp|unix|udp|tls ADDR
package main

import (
	"crypto/tls"
	"net"
	"os"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func echo(c net.Conn) {
	defer c.Close()
	b := make([]byte, 32768)
	for {
		n, err := c.Read(b)
		if n > 0 {
			if _, failed := c.Write(b[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func echoDatagrams(port string) {
	address, err := net.ResolveUDPAddr("udp4", "0.0.0.0:"+port)
	check(err)
	c, err := net.ListenUDP("udp4", address)
	check(err)
	b := make([]byte, 65536)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(b)
		if err == nil {
			c.WriteToUDPAddrPort(b[:n], peer)
		}
	}
}

func main() {
	mode, address := os.Args[1], os.Args[2]
	if mode == "udp" {
		echoDatagrams(address)
	}
	var l net.Listener
	var err error
	if mode == "unix" {
		os.Remove(address)
		l, err = net.Listen("unix", address)
	} else {
		l, err = net.Listen("tcp4", "0.0.0.0:"+address)
	}
	check(err)
	if mode == "tls" {
		pair, err := tls.LoadX509KeyPair(os.Getenv("CERTS")+"/cert.pem", os.Getenv("CERTS")+"/key.pem")
		check(err)
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13})
	}
	for {
		if c, err := l.Accept(); err == nil {
			go echo(c)
		}
	}
}
