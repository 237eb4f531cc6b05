// Command agent runs one of three Go clients as an agent of the client matrix (see ../README.md for the verbs):
//
//	agent franz-go|sarama|kafka-go HOST:PORT
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// restarts says that nodes are restarted meanwhile.
var restarts = os.Getenv("AGENT_RESTARTS") != ""

type record struct {
	Partition int32      `json:"partition"`
	Offset    int64      `json:"offset"`
	Key       *string    `json:"key"`
	Value     *string    `json:"value"`
	Headers   [][]string `json:"headers"`
	Timestamp int64      `json:"timestamp,omitempty"`
}

type command struct {
	ID          int64    `json:"id"`
	Do          string   `json:"do"`
	Topic       string   `json:"topic"`
	Group       string   `json:"group"`
	Partitions  int      `json:"partitions"`
	Compression string   `json:"compression"`
	Idempotent  bool     `json:"idempotent"`
	Acks        *int     `json:"acks"`
	Records     []record `json:"records"`
	From        int      `json:"from"`
	Count       int      `json:"count"`
	Size        int      `json:"size"`
	Slim        bool     `json:"slim"`
	IdleMs      int      `json:"idleMs"`
	TimeoutMs   int      `json:"timeoutMs"`
	SessionMs   int      `json:"sessionMs"`
	CommitMs    int      `json:"commitMs"`
	Reset       string   `json:"reset"`
	Retries     int64    `json:"retries"`
}

type fields map[string]any
type verb func(command) (fields, error)

type client struct {
	name, module string
	traits       fields
	verbs        map[string]verb
}

var out sync.Mutex

func emit(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func padded(n, size int) []byte {
	digits := strconv.Itoa(n)
	if len(digits) < size {
		digits += strings.Repeat(".", size-len(digits))
	}
	return []byte(digits)
}

func number(value []byte) int {
	n, err := strconv.Atoi(strings.TrimRight(string(value), "."))
	if err != nil {
		return -1
	}
	return n
}

func raw(value *string) []byte {
	if value == nil {
		return nil
	}
	return []byte(*value)
}

func text(value []byte) *string {
	if value == nil {
		return nil
	}
	s := string(value)
	return &s
}

type row [3]int64

// until says when a consumer has what it came for: Count records and then IdleMs of silence, or its time is up.
type until struct {
	command
	end, last time.Time
	rows      []row
	records   []record
	mu        sync.Mutex
}

func newUntil(c command) *until {
	if c.IdleMs == 0 {
		c.IdleMs = 300
	}
	if c.TimeoutMs == 0 {
		c.TimeoutMs = 60000
	}
	now := time.Now()
	return &until{command: c, end: now.Add(time.Duration(c.TimeoutMs) * time.Millisecond), last: now}
}

func (u *until) add(r record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = time.Now()
	if u.Slim {
		u.rows = append(u.rows, row{int64(r.Partition), r.Offset, int64(number(raw(r.Value)))})
	} else {
		u.records = append(u.records, r)
	}
}

func (u *until) done() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	enough := len(u.rows)+len(u.records) >= u.Count
	return now.After(u.end) || enough && now.Sub(u.last) > time.Duration(u.IdleMs)*time.Millisecond
}

// context ends when it is done.
func (u *until) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for !u.done() {
			time.Sleep(20 * time.Millisecond)
		}
		cancel()
	}()
	return ctx, cancel
}

func (u *until) answer() fields {
	if u.Slim {
		return fields{"rows": append([]row{}, u.rows...)}
	}
	return fields{"records": append([]record{}, u.records...)}
}

// got tells of received records at once: before the client can commit them, so that a crash loses no news.
func got(partition int32, offset int64, value []byte) {
	emit(fields{"event": "got", "rows": []row{{int64(partition), offset, int64(number(value))}}})
}

func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return strings.TrimPrefix(d.Version, "v")
			}
		}
	}
	return "unknown"
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: agent franz-go|sarama|kafka-go HOST:PORT")
		os.Exit(2)
	}
	clients := map[string]func(string) client{"franz-go": franz, "sarama": saramaClient, "kafka-go": kafkaGo}
	c := clients[os.Args[1]](os.Args[2])
	hello := fields{"client": c.name, "version": version(c.module)}
	for k, v := range c.traits {
		hello[k] = v
	}
	emit(fields{"hello": hello})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<26)
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			panic(err)
		}
		run(c.verbs[cmd.Do], cmd)
	}
}

func run(v verb, cmd command) {
	answer := fields{}
	extra, err := fields(nil), error(fmt.Errorf("unknown verb %s", cmd.Do))
	if v != nil {
		extra, err = v(cmd)
	}
	for k, x := range extra {
		answer[k] = x
	}
	answer["id"], answer["ok"] = cmd.ID, err == nil
	if err != nil {
		answer["error"] = err.Error()
	}
	emit(answer)
}
