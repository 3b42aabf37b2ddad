complete -c wschat-sniff -s i -l interface -d 'Listen on this interface: a name, a number of -D, or `any`' -r -f -a "(wschat-sniff -D 2>/dev/null | string replace -r '^\d+\.(\S+).*' '\$1')"
complete -c wschat-sniff -s r -l read-file -d 'Read packets from this file, `-` for standard input; may be repeated' -r -F
complete -c wschat-sniff -l compare -d 'Compare with this file: the same traffic, captured behind the proxy that -r stands before' -r -F
complete -c wschat-sniff -l keylog -d 'Decrypt TLS with the secrets in this file, a key log in the NSS format; may be repeated' -r -F
complete -c wschat-sniff -s V -l file-list -d 'Read the names of the files to read from this file, one a line, `-` for standard input' -r -F
complete -c wschat-sniff -s F -l filter-file -d 'Read the filter expression from this file; an expression among the arguments is ignored' -r -F
complete -c wschat-sniff -s c -l packets -d 'Stop after this many packets' -r
complete -c wschat-sniff -l skip -d 'Pass over this many packets before the first one that is printed or written' -r
complete -c wschat-sniff -s s -l snapshot-length -d 'Capture this many bytes of each packet; 0 means 262144, the default. Ignored with -r' -r
complete -c wschat-sniff -s B -l buffer-size -d 'Size of the kernel\'s capture buffer, in KiB' -r
complete -c wschat-sniff -s y -l linktype -d 'Use this link type while capturing, and to compile the filter with -d; -L lists them' -r
complete -c wschat-sniff -s j -l time-stamp-type -d 'Have packets stamped in this way; -J lists the ways' -r
complete -c wschat-sniff -l max-answer -d 'With --check: answers that come later than this, such as `2s` or `500ms`, are violations, and so are requests without one' -r
complete -c wschat-sniff -l tag -d 'With `--format json`: in every object also this, such as `sensor=web1`; may be repeated' -r
complete -c wschat-sniff -l json-fields -d 'With `--format json`: only these fields (and `event`, and tags), such as `time,session,text`' -r
complete -c wschat-sniff -l output -d 'Print to this file instead of standard output; not over one that is there already' -r -F
complete -c wschat-sniff -l grep -d 'Only messages whose text matches this regular expression, as sent or with the escapes of JSON resolved' -r
complete -c wschat-sniff -l session -d 'Only sessions of these numbers, such as `2` or `1,4-7`' -r
complete -c wschat-sniff -l host -d 'Only sessions with such a server: Host or `:authority`, else the server name of TLS, else the address' -r
complete -c wschat-sniff -l path -d 'Only sessions with such a target, without its query; `*` crosses `/`' -r
complete -c wschat-sniff -l subprotocol -d 'Only sessions that agreed on such a subprotocol' -r
complete -c wschat-sniff -l user -d 'Only sessions in which somebody logged in by this name' -r
complete -c wschat-sniff -l where -d 'Only messages that fit a condition on their JSON, such as `.type=="say" and .params[0].price > 100`' -r
complete -c wschat-sniff -l slower -d 'Only answers that took at least so long, such as `2s` or `300ms`' -r
complete -c wschat-sniff -l context -d 'Also so many messages of the session before and after each selected one' -r
complete -c wschat-sniff -l since -d 'Nothing before this time: RFC 3339, `HH:MM[:SS]` of the first packet\'s day, or `+90s` after the first packet' -r
complete -c wschat-sniff -l until -d 'Nothing after this time, given likewise' -r
complete -c wschat-sniff -l extract -d 'Write the payloads of binary messages to files in this folder instead of printing packets' -r -F
complete -c wschat-sniff -s C -l rotate-size -d 'Begin a new file when one has become this large, in millions of bytes (or with k, m, g: KiB, MiB, GiB)' -r
complete -c wschat-sniff -s G -l rotate-seconds -d 'Begin a new file every so many seconds' -r
complete -c wschat-sniff -s W -l rotate-files -d 'With -C: overwrite from the beginning after so many files. With -G: exit after so many' -r
complete -c wschat-sniff -l redact -d 'Write a capture to this file (pcapng) that can be shown to others: without what is secret, and still to be decoded' -r -F
complete -c wschat-sniff -l redact-key -d 'With --redact: values of this name, too, are replaced; may be repeated' -r
complete -c wschat-sniff -l redact-value -d 'With --redact: what this regular expression finds in a message is replaced; may be repeated' -r
complete -c wschat-sniff -l max-memory -d 'Bytes of memory for all that is kept for all connections together [default: 268435456]' -r
complete -c wschat-sniff -l max-flows -d 'Connections known at once [default: 100000]' -r
complete -c wschat-sniff -l max-waiting -d 'Bytes of one direction that wait behind a gap [default: 1048576]' -r
complete -c wschat-sniff -l max-fragments -d 'Bytes of fragmented IP datagrams that are kept, in all [default: 4194304]' -r
complete -c wschat-sniff -l max-fragment-age -d 'Seconds until an incomplete IP datagram is given up [default: 30]' -r
complete -c wschat-sniff -l max-head -d 'Bytes of an HTTP head [default: 65536]' -r
complete -c wschat-sniff -l max-message -d 'Bytes of one message that are kept [default: 16777216]' -r
complete -c wschat-sniff -l max-inflated -d 'Bytes that one message may become when it is inflated [default: 16777216]' -r
complete -c wschat-sniff -l max-held -d 'Bytes of packets that are held, live and from a pipe, until it is known whether they are selected [default: 67108864]' -r
complete -c wschat-sniff -l max-tls-trials -d 'Keys and sequence numbers that one TLS connection may try in a row [default: 250000]' -r
complete -c wschat-sniff -l max-idle -d 'Seconds of silence after which a connection is given up [default: 86400]' -r
complete -c wschat-sniff -l max-extract-files -d 'Files that --extract writes [default: 10000]' -r
complete -c wschat-sniff -l max-extract-bytes -d 'Bytes that --extract writes, in all [default: 1073741824]' -r
complete -c wschat-sniff -l format -d 'The view: `trace` (the default), `tcpdump`, `messages`, `sessions`, `json`, `har`, `html`, `pcapng`, `pdu` or `none`' -r -f -a "trace\t''
tcpdump\t''
messages\t''
sessions\t''
json\t''
har\t''
html\t''
pcapng\t''
pdu\t''
none\t''"
complete -c wschat-sniff -l sort -d 'With `--format sessions`: sort by this column, such as `duration`, `bytes` or `verdict`' -r -f -a "number\t''
client\t''
server\t''
url\t''
subprotocol\t''
user\t''
start\t''
duration\t''
messages\t''
bytes\t''
pong\t''
slowest\t''
codes\t''
verdict\t''
violations\t''"
complete -c wschat-sniff -l lang -d 'The language of what is told: `en`, `zh-CN`, `zh-TW`, `ja` or `es`' -r -f -a "en\t''
zh-CN\t''
zh-TW\t''
ja\t''
es\t''"
complete -c wschat-sniff -l color -d 'Colours: `auto` (the default), `always` or `never`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wschat-sniff -s Q -l direction -d 'Capture only packets of this direction: `in`, `out` or `inout`' -r -f -a "in\t''
out\t''
inout\t''"
complete -c wschat-sniff -l from -d 'Only messages that the `client` or the `server` sent' -r -f -a "client\t''
server\t''"
complete -c wschat-sniff -l opcode -d 'Only messages of these kinds, such as `text,binary`; also close, ping, pong, control, reserved, reserved-3' -r -f -a "text\t''
binary\t''
ping\t''
pong\t''
close\t''
control\t''
reserved\t''"
complete -c wschat-sniff -l time-stamp-precision -d 'Precision of times: `micro` (the default) or `nano`' -r -f -a "micro\t''
nano\t''"
complete -c wschat-sniff -s w -l write-file -d 'Write the packets to this file instead of printing them, `-` for standard output' -r -F
complete -c wschat-sniff -s z -l post-rotate -d 'Run this command on each file that is finished, with its name as argument' -r -f -a "(__fish_complete_command)"
complete -c wschat-sniff -s Z -l relinquish-privileges -d 'Started as root: become this user before the first packet is read; `root` stays root' -r -f -a "(__fish_complete_users)"
complete -c wschat-sniff -s p -l no-promiscuous-mode -d 'Do not put the interface into promiscuous mode'
complete -c wschat-sniff -l micro -d 'The same as --time-stamp-precision=micro'
complete -c wschat-sniff -l nano -d 'The same as --time-stamp-precision=nano'
complete -c wschat-sniff -l immediate-mode -d 'Have the kernel deliver each packet when it arrives; its buffer then holds few packets'
complete -c wschat-sniff -s O -l no-optimize -d 'Do not run the optimizer over the compiled filter'
complete -c wschat-sniff -s D -l list-interfaces -d 'List the interfaces that packets can be captured on, and exit'
complete -c wschat-sniff -s L -l list-data-link-types -d 'List the link types of the interface, and exit'
complete -c wschat-sniff -s J -l list-time-stamp-types -d 'List the ways in which the interface can stamp packets, and exit'
complete -c wschat-sniff -s d -l dump-filter -d 'Print the compiled filter and exit: -d readable, -dd as C, -ddd as numbers'
complete -c wschat-sniff -l summary -d 'Add a closing summary: sessions, users, messages, rates, times'
complete -c wschat-sniff -l check -d 'Print only violations of the protocol, one a line, and exit with 3 if there were any'
complete -c wschat-sniff -l count -d 'Print how many packets there were instead of any view'
complete -c wschat-sniff -l frames -d 'With `--format json`: an object for each frame, too'
complete -c wschat-sniff -l all -d 'With `--format sessions`: TCP connections that carry no WebSocket, too'
complete -c wschat-sniff -l full -d 'Show long messages whole'
complete -c wschat-sniff -l with-secrets -d 'With `--format har`, `html` and `pcapng`: keep the credentials and TLS secrets in it'
complete -c wschat-sniff -l force -d 'With --output and --redact: overwrite the file'
complete -c wschat-sniff -s l -l line-buffered -d 'Accepted; output is written whenever no packet is waiting, and at the latest after a tenth of a second, anyway'
complete -c wschat-sniff -l abnormal -d 'Only sessions that did not end as they should: refused, reset, closed with an error, not closed'
complete -c wschat-sniff -l invert -d 'Turn --grep and --where round: only messages that do not match and do not fit'
complete -c wschat-sniff -l follow -d 'Also all of the session that comes after the first selected message'
complete -c wschat-sniff -l no-control -d 'No pings, pongs and close frames'
complete -c wschat-sniff -s A -l ascii -d 'Print each packet in ASCII, without its link-level header'
complete -c wschat-sniff -s x -l hex -d 'Print each packet in hex; -xx with its link-level header'
complete -c wschat-sniff -s X -l hex-ascii -d 'Print each packet in hex and ASCII; -XX with its link-level header'
complete -c wschat-sniff -s e -l link-header -d 'Print the link-level header'
complete -c wschat-sniff -s q -l quick -d 'Shorter lines, and blocks that are a title alone'
complete -c wschat-sniff -s v -l verbose -d 'Longer lines, and blocks that tell all; -vv and -vvv for longer lines yet'
complete -c wschat-sniff -s S -l absolute-tcp-sequence-numbers -d 'Absolute sequence numbers of TCP'
complete -c wschat-sniff -s t -l time -d 'Times: -t none, -tt seconds since 1970, -ttt since the line before, -tttt with the date, -ttttt since the first'
complete -c wschat-sniff -s '#' -l number -d 'Begin each packet with its number'
complete -c wschat-sniff -l lengths -d 'Begin each packet with its captured and its whole length'
complete -c wschat-sniff -s n -l no-names -d 'Do not look up names; this is how it is anyway, see --resolve'
complete -c wschat-sniff -l resolve -d 'Look up the names of hosts and ports'
complete -c wschat-sniff -s N -l no-domain -d 'With --resolve: host names without their domain'
complete -c wschat-sniff -s K -l dont-verify-checksums -d 'Do not verify checksums'
complete -c wschat-sniff -l extract-text -d 'With --extract: the payloads of text messages, too'
complete -c wschat-sniff -l print -d 'With -w, --extract and --redact: print as well'
complete -c wschat-sniff -s U -l packet-buffered -d 'Write each packet out at once'
complete -c wschat-sniff -l redact-addresses -d 'With --redact: addresses are replaced, too, and names of hosts in headers'
complete -c wschat-sniff -s h -d 'One screen of help'
complete -c wschat-sniff -l help -d 'All of the help, with examples'
complete -c wschat-sniff -l version -d 'The versions of this program and of libpcap'
