# Imports an archive from stdin. containerd 1.7 has only the local way and no
# option for it; in 2.x it is the faster one.
set -u
local=
ctr images import --help | grep -q -e --local && local=--local
exec ctr --namespace k8s.io images import $local -
