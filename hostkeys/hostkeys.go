package hostkeys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

const (
	minRSABits = 3072 // what NIST SP 800-57 asks of a key that outlives 2030
	maxRSABits = 8192 // every handshake pays for one signature, and its cost grows with the cube

	maxFileBytes = 16 << 10 // an RSA key of 8192 bits takes 6.5 KiB

	comment    = "sarangbang"
	tempPrefix = ".new-key-"
	restore    = "restore it from a backup, or move it away and a new one will be made"
)

// Load returns the signers of the house, ed25519 first, and makes the folder and each key that is not there yet. The RSA
// signer signs with SHA-2 only (RFC 8332).
//
// The error is one sentence for the operator which names the file and says what to do. Whatever was refused is left as
// it was, and nothing new is made beside it. Several processes may call Load at once: all of them get the same keys.
func Load(dir string) ([]ssh.Signer, error) {
	return loader{dir: dir, uid: os.Geteuid()}.load()
}

// kinds lists the keys of a house.
func kinds() []kind {
	return []kind{
		{
			file: "ssh_host_ed25519_key",
			make: func() (crypto.PrivateKey, error) {
				_, key, err := ed25519.GenerateKey(rand.Reader)
				return key, err
			},
			signer: ed25519Signer,
		},
		{
			file:   "ssh_host_rsa_key",
			make:   func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minRSABits) },
			signer: rsaSigner,
		},
	}
}

type kind struct {
	file   string
	make   func() (crypto.PrivateKey, error)
	signer func(ssh.AlgorithmSigner) (signer ssh.Signer, fault string)
}

func ed25519Signer(s ssh.AlgorithmSigner) (ssh.Signer, string) {
	if s.PublicKey().Type() != ssh.KeyAlgoED25519 {
		return nil, fmt.Sprintf("holds a key of type %s, not ed25519", s.PublicKey().Type())
	}
	return s, ""
}

func rsaSigner(s ssh.AlgorithmSigner) (ssh.Signer, string) {
	if s.PublicKey().Type() != ssh.KeyAlgoRSA {
		return nil, fmt.Sprintf("holds a key of type %s, not RSA", s.PublicKey().Type())
	}
	public := s.PublicKey().(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
	if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return nil, fmt.Sprintf("holds an RSA key of %d bits, not of %d to %d", bits, minRSABits, maxRSABits)
	}
	modern, err := ssh.NewSignerWithAlgorithms(s, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
	if err != nil {
		return nil, fmt.Sprintf("cannot sign with SHA-2 (%v)", err)
	}
	return modern, ""
}

// A loader works on one folder for one user. Root passes every permission check of the kernel, so modes and owners are
// compared here and not left to a failing open.
type loader struct {
	dir string
	uid int
}

func (l loader) load() ([]ssh.Signer, error) {
	folder, err := l.openFolder()
	if err != nil {
		return nil, err
	}
	signers := make([]ssh.Signer, len(kinds()))
	for i, k := range kinds() { // all that is there is judged before anything is made
		path := filepath.Join(l.dir, k.file)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if signers[i], err = l.read(path, k); err != nil {
			return nil, err
		}
	}
	for i, k := range kinds() {
		if signers[i] != nil {
			continue
		}
		path := filepath.Join(l.dir, k.file)
		if folder.Mode().Perm()&0o200 == 0 {
			return nil, refusal(path, "cannot be made: its folder may not be written", "run chmod 700 "+l.dir)
		}
		if err := l.create(path, k); err != nil {
			return nil, refusal(path, fmt.Sprintf("cannot be made (%v)", reason(err)), "make room for it in "+l.dir)
		}
		if signers[i], err = l.read(path, k); err != nil {
			return nil, err
		}
	}
	for i, k := range kinds() {
		l.writePublic(filepath.Join(l.dir, k.file+".pub"), signers[i].PublicKey())
	}
	l.sweep()
	return signers, nil
}

// openFolder makes the folder if it is missing, and refuses one in which others could plant a key.
func (l loader) openFolder() (fs.FileInfo, error) {
	info, err := os.Stat(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(l.dir, 0o700); err == nil {
			err = syncFolder(filepath.Dir(l.dir))
		}
		if err == nil {
			info, err = os.Stat(l.dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("host key folder %s cannot be opened (%w): make it a folder of your own", l.dir, reason(err))
	}
	if fault := l.folderFault(info); fault != "" {
		return nil, fmt.Errorf("host key folder %s %s: make it a folder of your own with mode 700", l.dir, fault)
	}
	if info.Mode().Perm()&0o500 != 0o500 {
		return nil, fmt.Errorf("host key folder %s may not be read: run chmod 700 %s", l.dir, l.dir)
	}
	return info, nil
}

// folderFault says what makes a folder unsafe to take a key from. With the sticky bit (as on /tmp) others can add files
// but not exchange ours.
func (l loader) folderFault(info fs.FileInfo) string {
	switch {
	case !info.IsDir():
		return "is not a folder"
	case owner(info) != l.uid && owner(info) != 0:
		return fmt.Sprintf("belongs to user id %d", owner(info))
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		return fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm())
	}
	return ""
}

// read turns one key file into a signer, or says in a sentence why not.
func (l loader) read(path string, k kind) (ssh.Signer, error) {
	text, err := l.readFile(path)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return nil, refusal(path, "is protected by a passphrase", "remove it with ssh-keygen -p -N '' -f "+path)
	}
	if err != nil {
		return nil, refusal(path, "holds no usable private key", restore)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, refusal(path, "holds a key that cannot sign for SSH", restore)
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, refusal(path, "holds a key that cannot sign for SSH", restore)
	}
	restricted, fault := k.signer(able)
	if fault != "" {
		return nil, refusal(path, fault, restore)
	}
	if !worksTogether(restricted) {
		return nil, refusal(path, "is damaged: its public half does not fit its private half", restore)
	}
	return restricted, nil
}

// readFile reads the file behind path after checking that nobody else can have read or planted it. All checks are made
// on the open file, so that nothing can be exchanged in between. O_NONBLOCK keeps a named pipe from holding us up.
func (l loader) readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the path is the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal(path, "is a symbolic link to nothing", "restore what it points to, or remove the link")
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, refusal(path, "may not be read", "run chmod 600 "+path)
	}
	if err != nil {
		return nil, refusal(path, fmt.Sprintf("cannot be opened (%v)", reason(err)), restore)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, refusal(path, fmt.Sprintf("cannot be examined (%v)", reason(err)), restore)
	}
	mode := info.Mode()
	switch {
	case mode.IsDir():
		return nil, refusal(path, "is a folder, not a file", "move it away and a new key will be made")
	case !mode.IsRegular():
		return nil, refusal(path, "is not a regular file", "move it away and a new key will be made")
	case owner(info) != l.uid:
		return nil, refusal(path, fmt.Sprintf("belongs to user id %d, not to %d who runs this program", owner(info), l.uid),
			"run it as that user, or give the file to this one with chown")
	case mode.Perm()&0o077 != 0:
		return nil, refusal(path, fmt.Sprintf("is open to others (mode %04o)", mode.Perm()), "run chmod 600 "+path)
	case mode.Perm()&0o400 == 0:
		return nil, refusal(path, "may not be read", "run chmod 600 "+path)
	case info.Size() == 0:
		return nil, refusal(path, "is empty", restore)
	case info.Size() > maxFileBytes:
		return nil, refusal(path, fmt.Sprintf("is too large for a key (%d bytes)", info.Size()), restore)
	}
	if err := l.checkPlace(path); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes))
	if err != nil {
		return nil, refusal(path, fmt.Sprintf("cannot be read (%v)", reason(err)), restore)
	}
	return text, nil
}

// checkPlace refuses a key behind a symbolic link into a folder where somebody else could exchange it.
func (l loader) checkPlace(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return refusal(path, fmt.Sprintf("cannot be followed (%v)", reason(err)), restore)
	}
	folder := filepath.Dir(target)
	info, err := os.Stat(folder)
	if err != nil {
		return refusal(path, fmt.Sprintf("cannot be followed (%v)", reason(err)), restore)
	}
	if fault := l.folderFault(info); fault != "" {
		return refusal(path, fmt.Sprintf("lies in %s, which %s", folder, fault), "move it to a folder of your own")
	}
	return nil
}

// worksTogether finds a key file in which a byte has changed where no parser looks: an ed25519 key carries its public
// half beside the private one, and clients would only see signatures that do not verify.
func worksTogether(s ssh.Signer) bool {
	data := []byte("self-test of a host key")
	signature, err := s.Sign(rand.Reader, data)
	return err == nil && s.PublicKey().Verify(data, signature) == nil
}

func (l loader) create(path string, k kind) error {
	key, err := k.make()
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return err
	}
	return l.place(path, 0o600, pem.EncodeToMemory(block))
}

// writePublic puts the public half beside the key, for people and for ssh-keygen -l. The house works without it, so a
// folder that cannot be written is no reason to stay closed; what is there already is left alone.
func (l loader) writePublic(path string, public ssh.PublicKey) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(public)), "\n") + " " + comment + "\n"
	_ = l.place(path, 0o644, []byte(line)) // tried again at the next start
}

// place makes a file that is whole from the moment it has its name.
//
//  1. The content is on the disk before the name: a crash leaves the complete file or none.
//  2. link(2) never replaces: of several processes one wins, and the others find its file.
//  3. The folder is on the disk before place returns: a key that a client has seen survives a power cut.
func (l loader) place(path string, mode fs.FileMode, content []byte) error {
	temp, err := os.CreateTemp(l.dir, tempPrefix+"*") // 0600 and O_EXCL
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(mode)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil {
		// Somebody was faster, and may have swept our file away too. Their file counts.
		if _, missing := os.Lstat(path); missing != nil {
			return err
		}
	}
	return syncFolder(l.dir)
}

// sweep removes what a crash left between making a file and naming it: keys that nobody ever used. It runs when every
// key has its name, so a process that loses its file to it here has lost the race for the name already.
func (l loader) sweep() {
	entries, _ := os.ReadDir(l.dir) // what cannot be listed stays, and harms nobody
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), tempPrefix) {
			_ = os.Remove(filepath.Join(l.dir, entry.Name())) // the same
		}
	}
}

func syncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func refusal(path, fault, remedy string) error {
	return fmt.Errorf("host key %s %s: %s", path, fault, remedy)
}

// reason is an operating system error without the call and path around it, which the sentence names better.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

func owner(info fs.FileInfo) int {
	return int(info.Sys().(*syscall.Stat_t).Uid)
}
