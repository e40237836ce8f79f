# small-disk.sh SIZE COMMAND...: runs a command where `disk` is a file system of
# that size, and lists what is on it afterwards. For `unshare`, so that no other
# process sees it.
size=$1
shift
mkdir -p disk && mount -t tmpfs -o size="$size" tmpfs disk || exit 99
"$@"
code=$?
ls -A disk disk/* >&2
exit $code
