# SPDX-License-Identifier: MIT
# Makes the object that vm-test.sh reports and pages/kernels.sh tabulates from the files that a guest sent.
# Input: $probe, $kernel_tests, $program_tests, $imds_tests, $case_tests (arrays, empty if the guest did not
# get that far), $log, $dmesg, $release, $check, $probe_log, $offsets_conf, $statuses (texts), and from the
# host: $headers (the result of the comparison; empty without headers), $image, $suite, $ended,
# $given, $wanted, $program (the share of its tests, or none), $seconds.

def number: sub("s$"; "") | tonumber;

# The lines that follow a heading in the log of the tests, until a line that is not indented.
def listed_under($heading):
    reduce ($log | split("\n")[]) as $line ({on: false, found: []};
        if $line | test($heading) then .on = true
        elif .on and ($line | startswith("  ")) then .found += [$line[2:]]
        else .on = false end)
    | .found;

# The name of a test begins with that of its suite, except for tests of single calls.
def cases($suite; $plain):
    [$suite.testsuite[]? | .name |= (if $plain then . else ($suite.name | split(".")[0]) + "." + . end)];
# All suites that ran in a tier: "Calls.raw_tp", "Stream.raw_tp" and so on.
def in_tier($tier):
    [$kernel_tests[0].testsuites[]? | select(.name | endswith("." + $tier))]
    | if . == [] then null
      else {time: "\(map(.time | number) | add)s",
            testsuite: map(cases(.; .name | startswith("Calls."))) | add} end;
def suite($name):
    [$kernel_tests[0].testsuites[]? | select(.name == $name)] | first // null
    | if . then {time, testsuite: cases(.; true)} else null end;
def failed: [.testsuite[] | select(.failures) | .name];
def failures: [.testsuite[] | select(.failures) | {name, message: (.failures | map(.failure) | join("\n"))}];
def passed: [.testsuite[] | select(.result == "COMPLETED" and (.failures | not))] | length;
def not_run: [.testsuite[] | select(.result != "COMPLETED") | .name | ltrimstr("DISABLED_")];
def sum_of($property): [.testsuite[] | (.[$property] // "0") | tonumber] | add // 0;

def outcome:
    {seconds: (.time // "0" | number), tests: (.testsuite | length), passed: passed, failed: failed,
     failures: failures, skipped: not_run, events: sum_of("events")};

def tier_result($wanted):
    . as $tier
    | {name, possible, chosen, reason, verified_instructions}
      + (in_tier(.name) as $ran | if $ran then $ran | outcome else {tests: 0} end)
    | .wanted = ($wanted == [] or ($wanted | index($tier.name) != null));

# The result of get_offsets --check: the offsets that were used, compared with discovery.
def sources:
    ($check | capture("(?<right>[0-9]+) of (?<all>[0-9]+) fields in .* are right on this kernel, (?<wrong>[0-9]+) are wrong, (?<unchecked>[0-9]+)")
     | map_values(tonumber))? // null
    | if . then . + {source: ([$offsets_conf | split("\n")[] | select(startswith("# Source: ")) | .[10:]] | first),
                     found: [$check | split("\n")[] | select(test("^(wrong|not checked): "))]} else null end;

# The offsets from the headers, compared with those that were used.
def headers_compared:
    if $headers == "" then null
    else ($headers | capture("^(?<equal>[0-9]+) of (?<all>[0-9]+) ") | map_values(tonumber))? // {equal: 0, all: 0} end
    | if . then . + {found: ($headers | split("\n")[1:] | map(select(. != "")))} else null end;

def kernel_faults:
    [$dmesg | split("\n")[] | select(test("BUG: |Oops: |WARNING: |soft lockup|general protection fault"))];

($wanted | split(",") | map(select(. != "" and . != "possible"))) as $tiers_wanted
| ($probe[0] // {}) as $probe
| {
    release: ($release | rtrimstr("\n")), image: $image, suite: $suite, ended: $ended,
    seconds: ($seconds | tonumber),
    offsets: ([$kernel_tests[0].testsuites[]?.testsuite[]?.offsets | select(. != null and . != "")]
              | first // (sources | .source) // ""),
    offsets_given: ($given != ""),
    capabilities: ($probe.capabilities // {}), kernel: ($probe.kernel // {}),
    tiers: [$probe.tiers[]? | tier_result($tiers_wanted)],
    together: (suite("Tiers") | if . then outcome else null end),
    imds: ($imds_tests[0] // null
           | if . then {time, testsuite: [.testsuites[] | cases(.; false)[]]} | outcome else null end),
    program: ($program_tests[0] // null
              | if . then {time, testsuite: [.testsuites[] | cases(.; false)[]]} | outcome else null end),
    cases: ($case_tests[0] // null
            | if . then {time, testsuite: [.testsuites[] | .name as $suite | .testsuite[]
                                           | .name |= $suite + "." + .]} | outcome else null end),
    sources: sources, headers: headers_compared,
    calls_lacking: listed_under("calls skipped: this kernel lacks them"),
    not_tried: listed_under("things could not be tried here"),
    kernel_faults: kernel_faults
  }
| ([.tiers[] | select(.tests > 0)] + ([.together, .program, .imds, .cases] - [null])) as $outcomes
| .ran = ([$outcomes[] | .tests - (.skipped | length)] | add // 0)
| .passed = ([$outcomes[].passed] | add // 0)
| [.tiers[] | select(.wanted and .possible)] as $ran
| .problems = (
    # The guest ends right after --probe then.
    if .ended == "ended" and .tiers != [] and (.tiers | any(.chosen) | not) then
        ["no tier can run here: "
         + ([.tiers[] | select(.reason != "") | "\(.name): \(.reason)"] + [$probe_log | split("\n")[] | select(test("error: "))]
            | join("; "))]
    else
    [if .ended != "ended" then "the guest " + .ended else empty end,
     if .tiers == [] then "no answer from --probe" else empty end,
     ($ran[] | select(.tests == 0) | "no test ran in tier " + .name),
     ($ran[] | select((.failed // []) != []) | .name + ": failed: " + (.failed | join(" "))),
     (.together // {} | .failed // [] | select(. != []) | "all tiers: failed: " + join(" ")),
     (.program.failed // [] | select(. != []) | "program tests: failed: " + join(" ")),
     if .program == null and $program != "none" then "no result of the program tests" else empty end,
     (.imds.failed // [] | select(. != []) | "imds-tracker: failed: " + join(" ")),
     (.cases.failed // [] | select(. != []) | "cases: failed: " + join(" ")),
     if .tiers != [] and $ran == [] then "none of these tiers is possible here" else empty end,
     if .cases == null then "no result of the cases of the field" else empty end,
     if .imds == null then "no result of the tests of imds-tracker" else empty end,
     if .sources == null then "the offsets were not compared with discovery"
     elif .sources.wrong > 0 or .sources.right == 0 then
         "offsets and discovery disagree: " + (.sources.found | join("; ")) else empty end,
     (.headers | select(. != null and (.all == 0 or .equal < .all))
      | "its headers say otherwise: \(.equal) of \(.all) equal: " + ($headers | split("\n") | join("; "))),
     ($statuses | split("\n")[] | select(. != "") | "it ended with a failure: " + .),
     if ($ran | length) > 1 and (.together.tests // 0) < 2 then "the tiers were not compared" else empty end,
     (.tiers[] | select(.wanted and (.possible | not) and ($tiers_wanted != []))
      | .name + " was asked for: " + .reason),
     (.kernel_faults[] | "the kernel says: " + .)] end)
