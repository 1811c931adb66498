//go:build linux

package country_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
)

// What a country may cost: the limits of the benchmarks below.
const (
	limitFirstPage = time.Second // from "ready" to a whole console page
	limitMemory    = 150         // MiB resident, idle
	limitCPU       = 2.0         // percent of one core, idle

	settleTime  = 10 * time.Second
	measureTime = 30 * time.Second
)

// upFor starts the whole country as a process of its own and gives it once it says that it is ready.
func upFor(b *testing.B, data, at string) *process {
	b.Helper()
	p := start(b, "up", "--data", data, "--listen", at)
	p.await(b, upIsReady, 2*time.Minute)
	return p
}

// BenchmarkFirstPage measures how long after a country is ready the console's first page is there,
// with everything that it takes from its own origin.
func BenchmarkFirstPage(b *testing.B) {
	data, at := filepath.Join(b.TempDir(), "data"), listen(b)
	upFor(b, data, at).stop(b) // the country with its cards is made
	total := time.Duration(0)
	for b.Loop() {
		p := upFor(b, data, at)
		start := time.Now()
		files, size := wholePage(b, "http://"+at+"/")
		total += time.Since(start)
		b.ReportMetric(float64(files), "files")
		b.ReportMetric(float64(size)/1024, "KiB")
		p.stop(b)
	}
	took := total / time.Duration(b.N)
	b.ReportMetric(float64(took)/1e6, "ms/page")
	b.ReportMetric(float64(limitFirstPage)/1e6, "limit-ms")
	if took > limitFirstPage {
		b.Errorf("the first page takes %v, the limit is %v", took, limitFirstPage)
	}
}

var ownFiles = regexp.MustCompile(`<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"`)

// wholePage fetches a page, which must be whole, and what it refers to.
func wholePage(b *testing.B, page string) (files, size int) {
	b.Helper()
	content := fetched(b, page)
	if !bytes.Contains(content, []byte("</html>")) {
		b.Fatalf("the page is not whole:\n%s", content)
	}
	base, err := url.Parse(page)
	if err != nil {
		b.Fatal(err)
	}
	files, size = 1, len(content)
	for _, m := range ownFiles.FindAllSubmatch(content, -1) {
		ref, err := base.Parse(string(m[1]))
		if err != nil {
			b.Fatal(err)
		}
		if ref.Host == base.Host {
			files, size = files+1, size+len(fetched(b, ref.String()))
		}
	}
	return files, size
}

func fetched(b *testing.B, from string) []byte {
	b.Helper()
	resp, err := http.Get(from)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %v", from, resp.Status, err)
	}
	return content
}

// BenchmarkIdleUp measures what a country of all actors with its first cards costs when nothing
// happens: resident memory and processor time of the process, as the kernel counts them.
func BenchmarkIdleUp(b *testing.B) {
	data, at := filepath.Join(b.TempDir(), "data"), listen(b)
	p := upFor(b, data, at)
	if cards, err := filepath.Glob(filepath.Join(data, "cards", "*.sock")); err != nil || len(cards) < country.FirstCards {
		b.Fatalf("%d cards are in the hands of residents, %v", len(cards), err)
	}
	time.Sleep(settleTime)
	pid := p.cmd.Process.Pid
	for b.Loop() {
		before, from := processorTime(b, pid), time.Now()
		time.Sleep(measureTime)
		used, passed := processorTime(b, pid)-before, time.Since(from)
		cpu := 100 * used.Seconds() / passed.Seconds()
		memory := float64(statusOf(b, pid, "VmRSS")) / 1024
		b.ReportMetric(memory, "MiB")
		b.ReportMetric(float64(statusOf(b, pid, "VmHWM"))/1024, "MiB-peak")
		b.ReportMetric(limitMemory, "limit-MiB")
		b.ReportMetric(cpu, "%-of-a-core")
		b.ReportMetric(limitCPU, "limit-%")
		if memory > limitMemory || cpu > limitCPU {
			b.Errorf("idle, a country takes %.0f MiB of %d and %.2f %% of a core of %.0f %%", memory, limitMemory, cpu, limitCPU)
		}
	}
	b.ReportMetric(0, "ns/op") // how long we looked is no result
	p.stop(b)
}

// processorTime is what the kernel has counted for a process: user and system, in ticks of 10 ms.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // from the third on
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err != nil || err2 != nil {
		b.Fatalf("/proc/%d/stat: %s", pid, raw)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// statusOf gives a line of /proc/PID/status in KiB.
func statusOf(b *testing.B, pid int, name string) int {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name+":" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("/proc/%d/status has no %s", pid, name)
	return 0
}
