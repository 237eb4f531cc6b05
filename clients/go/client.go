package ottla

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Client is a client of a broker or a cluster.
type Client struct {
	http     *http.Client
	patience time.Duration
	urls     []string
	at       atomic.Uint32
}

// Option changes a Client while it is made.
type Option func(*Client)

// WithHTTPClient sets how requests are sent: timeouts for connections, proxies, metrics.
func WithHTTPClient(client *http.Client) Option { return func(c *Client) { c.http = client } }

// WithPatience sets for how long what may be repeated is tried again; the default is 30 s, and a context ends it sooner.
func WithPatience(patience time.Duration) Option { return func(c *Client) { c.patience = patience } }

// New makes a client. address has one URL or more, parted by commas; any nodes of a cluster will do, and another one is
// tried when one does not answer.
func New(address string, options ...Option) (*Client, error) {
	client := &Client{http: &http.Client{}, patience: 30 * time.Second}
	for _, each := range strings.Split(address, ",") {
		each = strings.TrimRight(strings.TrimSpace(each), "/")
		if !strings.Contains(each, "://") {
			each = "http://" + each
		}
		if parsed, err := url.Parse(each); err != nil || parsed.Host == "" {
			return nil, fmt.Errorf("ottla: %q is no address such as http://localhost:9092", each)
		}
		client.urls = append(client.urls, each)
	}
	for _, option := range options {
		option(client)
	}
	return client, nil
}

type call struct {
	method, path string
	query        url.Values
	body         any
	header       map[string]string
	// It may be repeated when nobody knows whether it was done.
	again bool
	// How long the broker is asked to wait.
	wait time.Duration
}

// tryFor is how long a node may take for an answer, besides what it was asked to wait. Then it counts as gone.
const tryFor = 10 * time.Second

func topicPath(topic string, more ...string) string {
	path := "/topics/" + url.PathEscape(topic)
	for _, each := range more {
		path += "/" + url.PathEscape(each)
	}
	return path
}

func groupPath(group string) string { return "/groups/" + url.PathEscape(group) }

func (c *Client) url() string { return c.urls[int(c.at.Load())%len(c.urls)] }

// ask sends a request, again and again where that is safe, and reads its answer into found, unless that is nil.
func (c *Client) ask(ctx context.Context, asked call, found any) error {
	var body []byte
	if asked.body != nil {
		var err error
		if body, err = json.Marshal(asked.body); err != nil {
			return fmt.Errorf("ottla: %w", err)
		}
	}
	giveUp := time.Now().Add(c.patience)
	for pause := 100 * time.Millisecond; ; pause = min(2*time.Second, 2*pause) {
		err, passes := c.try(ctx, asked, body, found)
		if err == nil || !passes || ctx.Err() != nil || time.Now().Add(pause).After(giveUp) {
			return err
		}
		c.at.Add(1)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (c *Client) try(ctx context.Context, asked call, body []byte, found any) (err error, passes bool) {
	ctx, cancel := context.WithTimeout(ctx, tryFor+asked.wait)
	defer cancel()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, asked.method, c.url()+asked.path+query(asked.query), reader)
	if err != nil {
		return fmt.Errorf("ottla: %w", err), false
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range asked.header {
		request.Header.Set(name, value)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ottla: %w", err), asked.again || isRefused(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return problemOf(answer), asked.again && isPassing(answer.StatusCode)
	}
	if found == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		return nil, false
	}
	if err := json.NewDecoder(answer.Body).Decode(found); err != nil {
		return fmt.Errorf("ottla: %w", err), asked.again
	}
	return nil, false
}

func query(values url.Values) string {
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

func problemOf(answer *http.Response) error {
	problem := &Problem{Status: answer.StatusCode, Title: answer.Status}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	_ = json.Unmarshal(text, problem)
	return problem
}

// The same request may succeed a little later, at this node or another.
func isPassing(status int) bool {
	switch status {
	case http.StatusMisdirectedRequest, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Nobody listened, so nothing can have been done.
func isRefused(err error) bool {
	var failed interface{ Timeout() bool }
	return strings.Contains(err.Error(), "connection refused") && (!errors.As(err, &failed) || !failed.Timeout())
}

func newKey() string {
	var key [16]byte
	_, _ = rand.Read(key[:])
	return hex.EncodeToString(key[:])
}
