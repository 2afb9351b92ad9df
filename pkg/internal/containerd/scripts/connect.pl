# Joins a client with containerd's socket, so that one exec is a connection to its API
# and the CRI's. Before that it tells what no socket can. The client is at stdin and
# stdout, or it connects to the node's own address: on its way through the engine each
# byte is copied several times. Either way all ends with stdin.
# Perl is in every Kind node: it is an essential package of Debian.
use strict;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
$| = 1;
# A stranger that hangs up ends nothing: writing to it fails.
$SIG{PIPE} = 'IGNORE';
sub section { print "\n\@\@e2eimage $_[0]\n" }
sub content {
    open(my $file, '<', $_[0]) or return '';
    local $/;
    return <$file> // '';
}
section('machine');
print `uname -m`;
section('ca');
print content('/etc/kubernetes/pki/ca.crt');
# The kubelet's notes about images that it pulled itself (Kubernetes 1.33 on).
section('pulled');
my $notes = '/var/lib/kubelet/image_manager/pulled';
if (opendir(my $folder, $notes)) {
    print content("$notes/$_"), "\n" for grep { /^sha256-/ && !/\.tmp$/ } readdir($folder);
}
my $path = '/run/containerd/containerd.sock';
socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($socket, sockaddr_un($path)) or die "containerd does not listen on $path: $!\n";

# One client may come over the network, which knows the password; the node says another
# one first, so that the client knows whom it has. Both go through the exec.
my ($listener, $random, $bytes);
chomp(my $host = `uname -n`);
my $address = gethostbyname($host);
if ($address
    && open($random, '<:raw', '/dev/urandom') && sysread($random, $bytes, 32) == 32
    && socket($listener, AF_INET, SOCK_STREAM, 0) && bind($listener, sockaddr_in(0, $address)) && listen($listener, 4)) {
    my ($port) = sockaddr_in(getsockname($listener));
    section('network');
    print inet_ntoa($address), ":$port ", unpack('H64', $bytes), "\n";
} else {
    undef $listener;
}
my ($ours, $theirs) = unpack('H32 H32', $bytes // '');
section('connected');

sub ready {
    my ($limit, @files) = @_;
    my $wanted = '';
    vec($wanted, fileno($_), 1) = 1 for @files;
    select($wanted, undef, undef, $limit) > 0 or return ();
    return map { vec($wanted, fileno($_), 1) } @files;
}
my $client;
while ($listener) {
    my ($stdin, $network) = ready(undef, \*STDIN, $listener);
    last if $stdin;
    $network && accept(my $stranger, $listener) or next;
    setsockopt($stranger, IPPROTO_TCP, TCP_NODELAY, 1);
    syswrite($stranger, $ours);
    my $said = '';
    while (length($said) < length($theirs)) {
        ready(2, $stranger) && sysread($stranger, $said, length($theirs) - length($said), length($said)) or last;
    }
    if ($said eq $theirs) {
        $client = $stranger;
        last;
    }
}
close($listener) if $listener;

sub pump {
    my ($from, $to) = @_;
    while (my $read = sysread($from, my $bytes, 1 << 18)) {
        for (my $at = 0; $at < $read;) {
            $at += syswrite($to, $bytes, $read - $at, $at) // exit 1;
        }
    }
}
sub aside {
    my ($work) = @_;
    my $child = fork() // die "fork: $!\n";
    return $child if $child;
    $work->();
    exit 0;
}
my @children = aside(sub { pump($client // \*STDIN, $socket); shutdown($socket, 1) });
if ($client) {
    push @children, aside(sub { pump($socket, $client); shutdown($client, 2) });
    close($client);
    close($socket);
    sysread(STDIN, my $nothing, 1);
} else {
    pump($socket, \*STDOUT);
}
kill 'KILL', @children;
waitpid($_, 0) for @children;
