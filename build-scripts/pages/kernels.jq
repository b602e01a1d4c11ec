# SPDX-License-Identifier: MIT
# Makes a table with a row for each result of vm-test.sh.
def source:
    if .offsets | startswith("BTF") then "BTF"
    elif .offsets | startswith("discovery") then "discovery"
    else (.sources.source // "config" | split(" ")[0]) end;
"| kernel | release | tier | offsets | as discovered | as headers | tests | calls it lacks |",
"|---|---|---|---|---|---|---|---|",
(.[]
 | "| \(if .suite == "" then .image else .suite end) | \(.release) | "
   + ([.tiers[] | select(.chosen) | "`\(.name)`"] | first // "none")
   + ([.tiers[] | select(.possible and (.chosen | not)) | .name] | if . == [] then "" else " (\(join(", ")))" end)
   + " | \(source) | \(.sources.right // 0) of \(.sources.all // 0)"
   + " | " + (.headers | if . then "\(.equal) of \(.all)" else "-" end)
   + " | \(.passed) of \(.ran)"
   + (if .problems == [] then "" else " (failed: \(.problems | join("; ")))" end)
   + " | \(.calls_lacking | join(" ")) |")
