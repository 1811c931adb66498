package site_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Another user of the same computer reaches the port, and nothing behind it.
func TestALocalHolderIsItsUsersOwn(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil || os.Getuid() != 0 {
		t.Skip("it takes root and bash to be somebody else")
	}
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "no-pcscd"))
	w := newWorld(t, plan{})
	address := strings.TrimPrefix(w.local(string(w.Good.ID)), "http://")
	for uid, want := range map[uint32]string{0: " 200 ", 65534: " 403 "} {
		cmd := exec.CommandContext(t.Context(), bash, "-c", `exec 3<>/dev/tcp/${0/://}; printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$0" >&3; cat <&3`, address)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if first, _, _ := strings.Cut(string(out), "\r\n"); err != nil || !strings.Contains(first, want) || want == " 403 " && strings.Contains(string(out), "霧島") {
			t.Errorf("user %d: %v %s", uid, err, out)
		}
	}
}
