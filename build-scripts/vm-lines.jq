# SPDX-License-Identifier: MIT
# Prints a result of vm-test.sh: a line for each tier, one for the comparison of tiers, one for each problem.

def count($n; $what): "\($n) \($what)\(if $n == 1 then "" else "s" end)";
def tests_line:
    (if .events > 0 then count(.events; "event") + ", " else "" end) + "\(count(.tests; "test")): \(.passed) passed, \(.failed | length) failed"
    + (if .failed != [] then " (\(.failed | join(" ")))" else "" end)
    + ", \(.skipped | length) skipped" + (if .skipped != [] then " (\(.skipped | join(" ")))" else "" end)
    + "; \(.seconds | round) s";

(if .release == "" then .image else .release end) as $name
| (.tiers | map(select(.chosen)) | first.name // "") as $best
| [.tiers[] | select(.possible | not) | "\(.name): \(.reason)"] as $refused
| .offsets as $offsets
| (.tiers[] | select(.wanted)
   | "\($name) \(.name): "
     + if .possible | not then "not possible: \(.reason)"
       else (if .chosen then "chosen" + (if $refused == [] then "" else " since " + ($refused | join("; ")) end)
             else "forced" + (if $best == "" then "" else " (\($best) is better)" end) end)
            + "; offsets: \($offsets); "
            + (if .tests == 0 then "no test ran" else tests_line end) end),
  (.together | select(. != null) | "\($name) all tiers: " + tests_line),
  (.program | select(. != null) | "\($name) the program: " + tests_line),
  (.imds | select(. != null) | "\($name) imds-tracker: " + tests_line),
  (.cases | select(. != null) | "\($name) cases of the field: " + tests_line),
  (.sources | select(. != null)
   | "\($name) offsets: \(.right) of \(.all) fields from \(.source) are where discovery finds them, "
     + "\(.wrong) are not, \(.unchecked) could not be compared"
     + (if .found == [] then "" else " (\(.found | join("; ")))" end)),
  (.headers | select(. != null) | "\($name) headers: \(.equal) of \(.all) fields as in the offsets used"),
  (if .calls_lacking != [] then
       "\($name) lacks, with their failure asserted: \(.calls_lacking | join(" "))" else empty end),
  (.not_tried[] | "\($name) not tried: \(.)"),
  "\($name): " + (if .problems == [] then "passed" else "FAILED" end) + " in \(.seconds) s",
  (.problems[] | "\($name) FAILED: \(.)")
