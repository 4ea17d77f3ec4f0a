package hostkeys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

const loadVariable = "HOSTKEYS_TEST_LOAD"

// TestMain lets the test binary be a second process: with loadVariable set it loads that folder when its standard input
// ends, and prints the fingerprints.
func TestMain(m *testing.M) {
	dir := os.Getenv(loadVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	signers, err := Load(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, s := range signers {
		fmt.Println(ssh.FingerprintSHA256(s.PublicKey()))
	}
}

// house is a complete set of host keys as Load made it once for all tests: RSA keys take long to find.
var house = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "hostkeys")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := Load(dir); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// furnished returns a folder which holds a complete set of host keys.
func furnished(t *testing.T) string {
	t.Helper()
	files, err := house()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, name), content, 0o600)
	}
	return dir
}

func write(t *testing.T, path string, content []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func encode(t *testing.T, key crypto.PrivateKey, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

func newEd25519(t *testing.T) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return encode(t, key, err)
}

// snapshot describes everything in a folder, itself included, down to the content and the time of the last change.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %s", path, info.Mode(), info.ModTime().Format(time.RFC3339Nano))
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path) // only root may read all of them
			fmt.Fprintf(&b, " %q %v", content, err)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func fingerprints(signers []ssh.Signer) []string {
	var all []string
	for _, s := range signers {
		all = append(all, ssh.FingerprintSHA256(s.PublicKey()))
	}
	return all
}

func TestKeysAreMadeOnceAndStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "hostkeys")
	made, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	loaded, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fingerprints(loaded), fingerprints(made); !slices.Equal(got, want) {
		t.Errorf("second Load returned keys %v, want those of the first, %v", got, want)
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("second Load changed the folder:\n%s\nwant\n%s", after, before)
	}

	if got := made[0].PublicKey().Type(); got != ssh.KeyAlgoED25519 {
		t.Errorf("first key is of type %s, want %s", got, ssh.KeyAlgoED25519)
	}
	rsaKey := made[1].PublicKey().(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
	if got := rsaKey.N.BitLen(); got != 3072 {
		t.Errorf("RSA key has %d bits, want 3072", got)
	}
	for name, want := range map[string]fs.FileMode{
		"": fs.ModeDir | 0o700, "ssh_host_ed25519_key": 0o600, "ssh_host_rsa_key": 0o600,
		"ssh_host_ed25519_key.pub": 0o644, "ssh_host_rsa_key.pub": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != want {
			t.Errorf("mode of %q is %v, want %v", name, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("the folder holds %v (%v), want two keys and their public halves", entries, err)
	}
	for i, name := range []string{"ssh_host_ed25519_key", "ssh_host_rsa_key"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want := "-----BEGIN OPENSSH PRIVATE KEY-----\n"; !bytes.HasPrefix(content, []byte(want)) {
			t.Errorf("%s does not start with %q", name, want)
		}
		content, err = os.ReadFile(filepath.Join(dir, name+".pub"))
		if err != nil {
			t.Fatal(err)
		}
		public, _, _, _, err := ssh.ParseAuthorizedKey(content)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := public.Marshal(), made[i].PublicKey().Marshal(); !bytes.Equal(got, want) {
			t.Errorf("%s.pub holds %x, want %x", name, got, want)
		}
	}
}

func TestRSASignsWithSHA2Only(t *testing.T) {
	signers, err := Load(furnished(t))
	if err != nil {
		t.Fatal(err)
	}
	got := signers[1].(ssh.MultiAlgorithmSigner).Algorithms()
	want := []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	if !slices.Equal(got, want) {
		t.Errorf("algorithms of the RSA signer are %v, want %v", got, want)
	}
	if _, err := signers[1].(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, []byte("x"), ssh.KeyAlgoRSA); err == nil {
		t.Error("the RSA signer signed with SHA-1, want a refusal")
	}
}

// Every way in which a key can be unfit: the sentence names the file and a remedy, and nothing in the folder changes.
func TestUnfitKeyIsRefusedAndLeftAlone(t *testing.T) {
	const ed, rs = "ssh_host_ed25519_key", "ssh_host_rsa_key"
	files, err := house()
	if err != nil {
		t.Fatal(err)
	}
	weak := sync.OnceValue(func() []byte {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		return encode(t, key, err)
	})
	put := func(file string, mode fs.FileMode, content func(t *testing.T) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			write(t, filepath.Join(dir, file), content(t), mode)
		}
	}
	is := func(content []byte) func(*testing.T) []byte {
		return func(*testing.T) []byte { return content }
	}
	tests := []struct {
		name string
		file string
		make func(t *testing.T, dir string)
		want []string
	}{
		{"readable by the group", ed, put(ed, 0o640, newEd25519), []string{"open to others (mode 0640)", "chmod 600"}},
		{"readable by the world", ed, put(ed, 0o604, newEd25519), []string{"open to others (mode 0604)", "chmod 600"}},
		{"writable by the group", ed, put(ed, 0o620, newEd25519), []string{"open to others (mode 0620)", "chmod 600"}},
		{"readable by nobody", ed, put(ed, 0o200, newEd25519), []string{"may not be read", "chmod 600"}},
		{"RSA readable by the world", rs, put(rs, 0o644, is(files[rs])), []string{"open to others (mode 0644)", "chmod 600"}},
		{"empty", ed, put(ed, 0o600, is(nil)), []string{"is empty", "restore"}},
		{"garbage", ed, put(ed, 0o600, is([]byte("\x00\x01garbage\n"))), []string{"no usable private key", "restore"}},
		{"cut short", ed, put(ed, 0o600, is(files[ed][:len(files[ed])/2])), []string{"no usable private key", "restore"}},
		{"huge", ed, put(ed, 0o600, is(bytes.Repeat([]byte("x"), 1<<20))), []string{"too large", "1048576 bytes"}},
		{"halves that do not fit", ed, put(ed, 0o600, mixedHalves), []string{"does not fit", "restore"}},
		{"a public key", ed, put(ed, 0o600, is(files[ed+".pub"])), []string{"no usable private key", "restore"}},
		{"with a passphrase", ed, put(ed, 0o600, func(t *testing.T) []byte {
			t.Helper()
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte("secret"))
			if err != nil {
				t.Fatal(err)
			}
			return pem.EncodeToMemory(block)
		}), []string{"protected by a passphrase", "ssh-keygen -p"}},
		{"RSA in the place of ed25519", ed, put(ed, 0o600, is(files[rs])), []string{"type ssh-rsa, not ed25519", "restore"}},
		{"ed25519 in the place of RSA", rs, put(rs, 0o600, newEd25519), []string{"type ssh-ed25519, not RSA", "restore"}},
		{"ECDSA in the place of RSA", rs, put(rs, 0o600, func(t *testing.T) []byte {
			t.Helper()
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			return encode(t, key, err)
		}), []string{"type ecdsa-sha2-nistp256, not RSA", "restore"}},
		{"RSA too short", rs, put(rs, 0o600, func(*testing.T) []byte { return weak() }), []string{"RSA key of 2048 bits, not of 3072", "restore"}},
		{"a folder", ed, func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Mkdir(filepath.Join(dir, ed), 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"is a folder", "move it away"}},
		{"a named pipe", ed, func(t *testing.T, dir string) {
			t.Helper()
			if err := syscall.Mkfifo(filepath.Join(dir, ed), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a regular file", "move it away"}},
		{"a link to nothing", ed, func(t *testing.T, dir string) {
			t.Helper()
			link(t, filepath.Join(dir, "gone"), filepath.Join(dir, ed))
		}, []string{"link to nothing", "remove the link"}},
		{"a link to a readable key", ed, func(t *testing.T, dir string) {
			t.Helper()
			elsewhere := filepath.Join(t.TempDir(), "key")
			write(t, elsewhere, newEd25519(t), 0o644)
			link(t, elsewhere, filepath.Join(dir, ed))
		}, []string{"open to others (mode 0644)", "chmod 600"}},
		{"a link into a folder of others", ed, func(t *testing.T, dir string) {
			t.Helper()
			elsewhere := t.TempDir()
			write(t, filepath.Join(elsewhere, "key"), newEd25519(t), 0o600)
			if err := os.Chmod(elsewhere, 0o777); err != nil {
				t.Fatal(err)
			}
			link(t, filepath.Join(elsewhere, "key"), filepath.Join(dir, ed))
		}, []string{"can be written by others", "move it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.make(t, dir)
			before := snapshot(t, dir)
			signers, err := Load(dir)
			if err == nil {
				t.Fatalf("Load returned %v, want a refusal", fingerprints(signers))
			}
			for _, want := range append(tt.want, filepath.Join(dir, tt.file)) {
				if got := err.Error(); !strings.Contains(got, want) {
					t.Errorf("refusal is %q, want it to contain %q", got, want)
				}
			}
			if got := err.Error(); strings.Contains(got, "\n") {
				t.Errorf("refusal is %q, want one line", got)
			}
			if after := snapshot(t, dir); after != before {
				t.Errorf("a refused key changed the folder:\n%s\nwant\n%s", after, before)
			}
		})
	}
}

// mixedHalves is an ed25519 key file in which one byte of the public half has changed.
func mixedHalves(t *testing.T) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	key[len(key)-1] ^= 1
	return encode(t, key, err)
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestForeignKeyIsRefused(t *testing.T) {
	dir := furnished(t)
	k := kinds()[0]
	path := filepath.Join(dir, k.file)
	stranger := loader{dir: dir, uid: os.Geteuid() + 1}
	_, err := stranger.read(path, k)
	if want := fmt.Sprintf("belongs to user id %d, not to %d", os.Geteuid(), stranger.uid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("reading another user's key: %v, want %q", err, want)
	}
	linked := filepath.Join(t.TempDir(), k.file)
	link(t, path, linked)
	_, err = stranger.read(linked, k)
	if err == nil || !strings.Contains(err.Error(), "belongs to user id") {
		t.Errorf("reading a link to another user's key: %v, want a refusal that names the owner", err)
	}
}

func TestLinkToOwnSafeKeyIsFollowed(t *testing.T) {
	dir, elsewhere := furnished(t), t.TempDir()
	path := filepath.Join(dir, "ssh_host_ed25519_key")
	if err := os.Rename(path, filepath.Join(elsewhere, "key")); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Join(elsewhere, "key"), path)
	if _, err := Load(dir); err != nil {
		t.Errorf("Load = %v, want the key behind the link", err)
	}
}

func TestUnfitFolderIsRefused(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"a file in its place", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			write(t, dir, nil, 0o600)
		}, "is not a folder"},
		{"writable by others", func(t *testing.T, dir string) {
			t.Helper()
			chmod(t, dir, 0o777)
		}, "can be written by others (mode 0777)"},
		{"unreadable", func(t *testing.T, dir string) {
			t.Helper()
			chmod(t, dir, 0o300)
		}, "may not be read"},
		{"read-only without keys", func(t *testing.T, dir string) {
			t.Helper()
			chmod(t, dir, 0o500)
		}, "may not be written"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hostkeys")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			tt.make(t, dir)
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Load = %v, want a refusal that says %q and names %s", err, tt.want, dir)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(path, 0o700) })
}

func TestCompleteSetNeedsNoWriting(t *testing.T) {
	dir := furnished(t)
	for _, public := range []string{"ssh_host_ed25519_key.pub", "ssh_host_rsa_key.pub"} {
		if err := os.Remove(filepath.Join(dir, public)); err != nil {
			t.Fatal(err)
		}
	}
	chmod(t, dir, 0o500)
	if _, err := Load(dir); err != nil {
		t.Errorf("Load from a read-only folder with both keys = %v, want the keys", err)
	}
}

// A crash between writing a key and naming it leaves a temporary file: it never becomes a key and does not stay.
func TestLeftoverOfACrashIsNoKey(t *testing.T) {
	dir := furnished(t)
	leftover := filepath.Join(dir, tempPrefix+"123456")
	write(t, leftover, newEd25519(t), 0o600)
	k := kinds()[0]
	want, err := loader{dir: dir, uid: os.Geteuid()}.read(filepath.Join(dir, k.file), k)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fingerprints(got[:1]), fingerprints([]ssh.Signer{want}); !slices.Equal(got, want) {
		t.Errorf("key after the crash is %v, want %v", got, want)
	}
	if _, err := os.Lstat(leftover); !os.IsNotExist(err) {
		t.Errorf("the leftover is still there (%v), want it gone", err)
	}
}

func TestPlaceNeverReplaces(t *testing.T) {
	dir := t.TempDir()
	l := loader{dir: dir, uid: os.Geteuid()}
	path := filepath.Join(dir, "key")
	write(t, path, []byte("first"), 0o600)
	if err := l.place(path, 0o600, []byte("second")); err != nil {
		t.Fatalf("place = %v, want the faster one's file to count", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
		t.Errorf("the file holds %q (%v), want %q", got, err, "first")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v, want only the key", entries)
	}
}

func TestProcessesThatStartTogetherGetTheSameKeys(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "hostkeys")
	var commands []*exec.Cmd
	var inputs []io.Closer
	var outputs []io.Reader
	for range 4 {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), loadVariable+"="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		commands, inputs, outputs = append(commands, cmd), append(inputs, in), append(outputs, out)
	}
	for _, in := range inputs {
		in.Close()
	}
	var printed []string
	for i, out := range outputs {
		text, err := io.ReadAll(out)
		if err := errors.Join(err, commands[i].Wait()); err != nil {
			t.Fatalf("process %d: %v: %s", i, err, text)
		}
		printed = append(printed, string(text))
	}
	signers, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(fingerprints(signers), "\n") + "\n"
	for i, got := range printed {
		if got != want {
			t.Errorf("process %d got the keys %q, want those that stayed, %q", i, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("the folder holds %v (%v), want two keys and their public halves", entries, err)
	}
}
