#!/bin/bash
# Looks for known vulnerabilities in what the plugin calls. GitHub's CI has to get an answer
# from Go's database. Elsewhere, where that cannot be reached, it is the database's copy of a
# certain day, from the Go module proxy.
set -eu -o pipefail
cd "$(dirname "$0")/.."
copy=golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018
found=3 # what govulncheck exits with where there is a vulnerability

govulncheck() { go tool -modfile=tools/go.mod govulncheck "$@"; }

database=https://vuln.go.dev
status=0
said=$(govulncheck -scan module -db "$database" 2>&1) || status=$?
if [ "$status" != 0 ] && [ "$status" != "$found" ]; then
  if [ "${GITHUB_ACTIONS:-}" = true ]; then
    echo "Go's vulnerability database gave no answer: $said" >&2
    exit 1
  fi
  folder=$(go mod download -json "$copy" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') || folder=
  if [ -z "$folder" ]; then
    echo "vulnerabilities: not checked: neither Go's database nor its copy can be reached" >&2
    exit 0
  fi
  echo "Go's vulnerability database cannot be reached; this is its copy ${copy#*@}"
  database=file://$folder/data/osv
fi

# Which functions are called takes a minute and 3 GB to find out. It counts only where a
# package with a vulnerability is linked at all.
status=0
said=$(govulncheck -scan package -db "$database" ./cmd/... 2>&1) || status=$?
if [ "$status" = "$found" ]; then
  govulncheck -db "$database" ./cmd/...
elif [ "$status" != 0 ]; then
  echo "$said" >&2
  exit 1
fi
