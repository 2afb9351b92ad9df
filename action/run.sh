#!/usr/bin/env bash
# Runs the verbs, and notes the recorded images for later steps.
#   VERBS NAMES MANIFESTS TIMEOUT INPUT_ARTIFACTS, and the plugin's own E2EIMAGE_...
set -euo pipefail

# ${a[@]+"${a[@]}"}: to the bash of macOS an empty array is a variable that is not set.
# Words, not patterns: a name with a star is not the files that match it.
set -f
read -r -a verbs <<<"${VERBS//$'\n'/ }"
read -r -a names <<<"${NAMES//$'\n'/ }"
read -r -a manifests <<<"${MANIFESTS//$'\n'/ }"
for verb in ${verbs[@]+"${verbs[@]}"}; do
  case $verb in
  build | load | tag | deploy | verify) ;;
  *) echo "::error title=kubectl e2eimage::verbs: '${verb//[^a-z0-9-]/?}' is none of build, load, tag, deploy, verify"; exit 2 ;;
  esac
done
for name in ${names[@]+"${names[@]}"}; do
  if [[ $name == -* ]]; then
    echo "::error title=kubectl e2eimage::names: an option is no name"
    exit 2
  fi
done

if [ -n "$INPUT_ARTIFACTS" ]; then
  ARTIFACTS=$(cd "$INPUT_ARTIFACTS" && pwd)
  export ARTIFACTS E2EIMAGE_PREBUILT=require
fi
wait=()
if [ -n "$TIMEOUT" ]; then wait=(--timeout "$TIMEOUT"); fi

said=$(mktemp "$RUNNER_TEMP/e2eimage-log-XXXXXX")
for verb in ${verbs[@]+"${verbs[@]}"}; do
  flags=()
  case $verb in
  tag) flags=(--create-namespace) ;;
  deploy)
    flags=(${wait[@]+"${wait[@]}"})
    for path in ${manifests[@]+"${manifests[@]}"}; do flags+=(--filename "$path"); done
    ;;
  verify) flags=(--wait ${wait[@]+"${wait[@]}"}) ;;
  esac
  echo "::group::kubectl e2eimage $verb"
  # Logs of pods are in what comes now: none of it is a command to the runner.
  token=$RANDOM$RANDOM$RANDOM
  echo "::stop-commands::$token"
  code=0
  { kubectl e2eimage "$verb" ${flags[@]+"${flags[@]}"} ${names[@]+"${names[@]}"} 2>&1 >&3 | tee "$said" >&2; } 3>&1 || code=$?
  echo "::$token::"
  echo "::endgroup::"
  if [ "$code" != 0 ]; then
    message=$(sed -n '/^error: /,$p' "$said")
    message=${message//%/%25}
    echo "::error title=kubectl e2eimage $verb::${message//$'\n'/%0A}"
    exit "$code"
  fi
  if [ "$verb" = tag ]; then
    file=$(mktemp "$RUNNER_TEMP/e2eimage-env-XXXXXX")
    kubectl e2eimage ref ${names[@]+"${names[@]}"} -o env --output-file "$file"
    end=images-$RANDOM$RANDOM
    {
      echo "images<<$end"
      kubectl e2eimage ref ${names[@]+"${names[@]}"}
      echo "$end"
      echo "env-file=$file"
    } >>"$GITHUB_OUTPUT"
  fi
done
