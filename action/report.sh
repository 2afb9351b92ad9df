#!/usr/bin/env bash
# Writes a table of the images into the job's summary, and an ::error or ::warning for each
# finding. It never fails: whether the job does is for the run before to say.
#   OUTCOME      how the run ended: success, failure or cancelled
#   VERBS NAMES  as the run had them
set -euo pipefail

# Before tag there is nothing recorded that anything could disagree with.
case " ${VERBS//$'\n'/ } " in
*" tag "* | *" deploy "* | *" verify "*) ;;
*) exit 0 ;;
esac
set -f
read -r -a names <<<"${NAMES//$'\n'/ }"
# The run refuses these and has said so: an option is no name.
for name in ${names[@]+"${names[@]}"}; do
  if [[ $name == -* ]]; then exit 0; fi
done
if ! command -v jq >/dev/null; then
  echo "::notice title=kubectl e2eimage::there is no report of the images: jq is not installed"
  exit 0
fi
# Only verify minds what nothing runs, which may still have to be deployed.
report=status
case " ${VERBS//$'\n'/ } " in *" verify "*) report=verify ;; esac
json=$(kubectl e2eimage "$report" -o json ${names[@]+"${names[@]}"} 2>/dev/null) || true
# Where it could not be asked, the run has said why.
if [ -z "$json" ]; then exit 0; fi
level=warning
if [ "$OUTCOME" = failure ]; then level=error; fi

# What a message has must not end it or begin another one.
jq -r --arg level "$level" '
  def message: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
  def property: message | gsub(":"; "%3A") | gsub(","; "%2C");
  (.images[] | . as $image | .problems[]? |
    "::\($level) title=\("\($image.name): \(.state)" | property)::\(.text | message)"),
  (if .mend then "::\($level) title=kubectl e2eimage::\("To mend it: \(.mend | join(" && "))" | message)" else empty end)
' <<<"$json"

jq -r '
  def cell: tostring | gsub("\\|"; "\\|") | gsub("`"; "") | gsub("[\r\n]+"; " ") | gsub("<"; "&lt;");
  def code: cell | if . == "" then "" else "`\(.)`" end;
  "### E2E images\n",
  "| name | state | image | image ID | nodes | pods |",
  "|---|---|---|---|---|---|",
  (.images[] |
    "| \(.name | cell) | \(if .state == "Consistent" then "✅" else "❌" end) \(.state | cell) | \(.image | code) " +
    "| \(.imageID // "" | ltrimstr("sha256:") | .[0:12] | code) " +
    "| \(.nodesWith // [] | length)/\((.nodesWith // []) + (.nodesWithout // []) | length) " +
    "| \([.workloads[]?.running] | add // 0)/\([.workloads[]?.wanted] | add // 0) |"),
  (.images[] | . as $image | .problems[]? |
    "\n**\($image.name | cell)**: \(.text | cell)"),
  (if .mend then "\n```sh\n\(.mend | join("\n"))\n```" else empty end)
' <<<"$json" >>"$GITHUB_STEP_SUMMARY"
