package main

// What others cost, measured in November 2026 on another machine of the same kind, shared and busy, with another generator: closed loop
// with 10 senders and 8 lines of each in flight, 4 with 1,000 people; limits of the servers raised. Medians and ranges of mostly 3 runs.
// docs/PERFORMANCE.md tells more of it. Nobody has published or measured such figures of sshoosh.

const elsewhere = "dashed or hollow: ssh-chat and devzat, measured elsewhere, earlier and with another generator: compare orders of magnitude"

var peersLines = []series{
	{name: "devzat", look: "peer2", elsewhere: true, points: []dot{{10, 667, 667, 667}, {100, 502, 502, 502}}},
	{name: "ssh-chat", look: "peer", elsewhere: true, points: []dot{{10, 60.4, 60.4, 60.4}, {100, 51.5, 42, 62}, {1000, 65.8, 61, 67}}},
}

var peersMemory = []series{
	{name: "ssh-chat", look: "peer", elsewhere: true, points: []dot{{1000, 119, 110, 129}}},
	{name: "devzat", look: "peer2", elsewhere: true, points: []dot{{100, 97, 97, 97}}},
}
