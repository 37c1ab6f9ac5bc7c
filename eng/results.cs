#!/usr/bin/env dotnet
#:property PublishAot=false
// Reads the xunit result files of a test run.
//   results.cs summary FOLDER                     the skipped tests, then "N passed, N failed, N skipped"; fails with a failed or an empty run
//   results.cs cases FOLDER CATALOGUE AREA...     which behaviours of the catalogue a passed test covers; fails where one of the areas lacks one
using System.Text.RegularExpressions;
using System.Xml.Linq;

return args switch
{
    ["summary", var folder] => Summary(folder),
    ["cases", var folder, var catalogue, .. var areas] => Cases(folder, catalogue, areas),
    _ => Fail("usage: results.cs summary FOLDER | cases FOLDER CATALOGUE AREA..."),
};

static int Summary(string folder)
{
    int passed = 0, failed = 0, skipped = 0;
    var empty = false;
    foreach (var assembly in Assemblies(folder))
    {
        passed += (int)assembly.Attribute("passed")!;
        failed += (int)assembly.Attribute("failed")! + (int)assembly.Attribute("errors")!;
        skipped += (int)assembly.Attribute("skipped")!;
        empty |= (int)assembly.Attribute("total")! == 0;
        foreach (var test in assembly.Descendants("test").Where(test => Is(test, "Skip")))
            Console.WriteLine($"skipped: {(string?)test.Attribute("name")}: {(string?)test.Element("reason")}");
    }

    if (empty) Console.WriteLine("a test project without tests");
    Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
    return failed > 0 || empty || passed == 0 ? 1 : 0;
}

static int Cases(string folder, string catalogue, string[] areas)
{
    var lines = File.ReadAllLines(catalogue);
    var columns = lines[0].Split('\t');
    int id = Array.IndexOf(columns, "id"), area = Array.IndexOf(columns, "area"), behaviour = Array.IndexOf(columns, "behaviour");
    int applies = Array.IndexOf(columns, "applies"), status = Array.IndexOf(columns, "status"), reason = Array.IndexOf(columns, "reason");
    var rows = lines.Skip(1).Select(line => line.Split('\t')).ToList();

    // A theory's rows are tests of their own: one that passed covers the case, one that failed takes it back. One that was skipped for want
    // of a peer is there all the same.
    var tests = Assemblies(folder).SelectMany(assembly => assembly.Descendants("test")).ToList();
    if (tests.Count == 0) return Fail($"no results in {folder}: run test.sh first");
    var failed = tests.Where(test => Is(test, "Fail")).SelectMany(Ids).ToHashSet();
    var passed = tests.Where(test => Is(test, "Pass")).SelectMany(Ids).Except(failed).ToHashSet();
    var skipped = tests.Where(test => Is(test, "Skip")).SelectMany(Ids).Except(failed).Except(passed).ToHashSet();
    var covered = passed.Union(skipped).ToHashSet();

    var uncovered = 0;
    Console.WriteLine($"{"area",-10}{"covered",9}{"uncovered",11}{"later",8}{"overruled",11}{"no",6}");
    var details = new List<string>();
    foreach (var group in rows.GroupBy(row => row[area]).Where(group => areas.Contains(group.Key)))
    {
        var states = group.ToLookup(row =>
            row[status].Length > 0 ? row[status] : row[applies] == "no" ? "no" : covered.Contains(row[id]) ? "covered" : "uncovered");
        Console.WriteLine($"{group.Key,-10}{states["covered"].Count(),9}{states["uncovered"].Count(),11}{states["later"].Count(),8}{states["overruled"].Count(),11}{states["no"].Count(),6}");
        uncovered += states["uncovered"].Count();
        details.AddRange(states["covered"].Where(row => skipped.Contains(row[id])).Select(row => $"skipped    {row[id]}  {row[behaviour]}"));
        details.AddRange(states["uncovered"].Select(row => $"uncovered  {row[id]}  {row[behaviour]}"));
        details.AddRange(states["later"].Concat(states["overruled"]).Select(row => $"{row[status],-10} {row[id]}  {row[reason]}"));
        details.AddRange(states["later"].Concat(states["overruled"]).Where(row => covered.Contains(row[id]))
            .Select(row => $"stale      {row[id]}  is {row[status]}, but a test covers it"));
    }

    details.ForEach(Console.WriteLine);
    var unknown = areas.Except(rows.Select(row => row[area])).Concat(tests.SelectMany(Ids).Except(rows.Select(row => row[id]))).ToList();
    unknown.ForEach(name => Console.WriteLine($"unknown    {name}  is not in the catalogue"));
    Console.WriteLine($"{uncovered} uncovered, {unknown.Count} unknown");
    return uncovered + unknown.Count > 0 ? 1 : 0;
}

static IEnumerable<XElement> Assemblies(string folder) =>
    Directory.EnumerateFiles(folder, "*.xml").Order().SelectMany(file => XDocument.Load(file).Descendants("assembly"));

static bool Is(XElement test, string result) => (string?)test.Attribute("result") == result;

// [Case] traits, and the ids in brackets behind the name of a check: rows of a theory lose their traits.
static IEnumerable<string> Ids(XElement test) =>
    test.Descendants("trait").Where(trait => (string?)trait.Attribute("name") == "Case").Select(trait => (string)trait.Attribute("value")!)
        .Concat(Regex.Matches((string?)test.Attribute("name") ?? "", @"^\w+ \[([^\]]*)\] \(").SelectMany(name => name.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
