package main

import (
	"log/slog"
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

// machine is a file system with these files.
func machine(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func TestGrantedMemory(t *testing.T) {
	const v1 = "5:cpu,cpuacct:/\n4:memory:/docker/abc\n1:name=systemd:/\n0::/\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64 // 0 for no limit
	}{
		{"no control groups", nil, 0},
		{"version 2", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		{"version 2, no limit", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		{"a service", map[string]string{
			"proc/self/cgroup": "0::/system.slice/sarangbang.service\n",
			"sys/fs/cgroup/system.slice/sarangbang.service/memory.max": "1073741824\n", "sys/fs/cgroup/system.slice/memory.max": "max\n",
		}, 1 << 30},
		{"the group above grants less", map[string]string{
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "1073741824\n", "sys/fs/cgroup/a/memory.max": "268435456\n",
		}, 256 << 20},
		{"a path from outside of the container", map[string]string{"proc/self/cgroup": "0::/kubepods/x\n", "sys/fs/cgroup/memory.max": "134217728\n"}, 128 << 20},
		{"a path above the container", map[string]string{"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/memory.max": "134217728\n"}, 128 << 20},
		{"version 1", map[string]string{"proc/self/cgroup": v1, "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "67108864\n"}, 64 << 20},
		{"version 1, from inside", map[string]string{"proc/self/cgroup": v1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864\n"}, 64 << 20},
		{"version 1, no limit", map[string]string{"proc/self/cgroup": v1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		{"nonsense", map[string]string{"proc/self/cgroup": "0\n::\n0::/\n", "sys/fs/cgroup/memory.max": "-1\n"}, 0},
	} {
		got, limited := grantedMemory(machine(tt.files))
		if got != tt.want || limited != (tt.want > 0) {
			t.Errorf("%s: granted %d, %v; want %d", tt.name, got, limited, tt.want)
		}
	}
}

func TestMemoryIsLimitedUnlessTheOperatorHas(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	root := machine(map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "10737418240\n"})
	log := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		chosen string
		want   int64
	}{{"20GiB", math.MaxInt64}, {"off", math.MaxInt64}, {"", 9 << 30}} {
		limitMemory(root, func(string) string { return tt.chosen }, log)
		if got := debug.SetMemoryLimit(-1); got != tt.want {
			t.Errorf("with GOMEMLIMIT=%s the limit is %d, want %d", tt.chosen, got, tt.want)
		}
	}
}
