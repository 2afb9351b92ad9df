# Writes an image as an archive to stdout. Argument: its name. Through the
# transfer service, containerd 2's default, ctr ends before it has written all.
# containerd 1.7 may not have the option; it goes the local way anyway.
set -u
local=
ctr images export --help | grep -q -e --local && local=--local
exec ctr --namespace k8s.io images export $local - "$1"
