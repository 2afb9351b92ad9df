# Prints the files that it is asked for. A question is a path, an answer is what the
# file has; before each stand eight bytes with its length. Ends with its stdin.
use strict;
use Fcntl;
sub take {
    my ($length, $bytes) = ($_[0], '');
    while (length($bytes) < $length) {
        sysread(STDIN, $bytes, $length - length($bytes), length($bytes)) or exit 0;
    }
    return $bytes;
}
sub give {
    my ($bytes) = @_;
    for (my $at = 0; $at < length($bytes);) {
        $at += syswrite(STDOUT, $bytes, length($bytes) - $at, $at) // exit 1;
    }
}
while (1) {
    my $path = take(unpack('Q>', take(8)));
    sysopen(my $file, $path, O_RDONLY | O_NOFOLLOW) or die "$path: $!\n";
    my $left = -s $file;
    my $bytes = pack('Q>', $left);
    while ($left > 0) {
        my $read = sysread($file, $bytes, $left < 1 << 20 ? $left : 1 << 20, length($bytes)) or die "$path: it became shorter\n";
        $left -= $read;
        give($bytes);
        $bytes = '';
    }
    give($bytes);
}
