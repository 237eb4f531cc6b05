package ottla

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SubscribeOptions say what of a topic is wanted.
type SubscribeOptions struct {
	// From is where to begin: "latest" (default), "earliest", or a time in ISO 8601.
	From string
	// Keys: only records with one of them; none: all records.
	Keys []string
	// LastID goes on where another subscription ended.
	LastID string
}

// Subscribe gives all records as they come, in the order of their partitions, until the context ends or the loop does. A
// connection that ends is made anew, exactly where it ended. The only errors are those that end it.
//
//	for event, err := range client.Subscribe(ctx, "orders", ottla.SubscribeOptions{From: "earliest"}) {
func (c *Client) Subscribe(ctx context.Context, topic string, options SubscribeOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := stream{lastID: options.LastID, retry: time.Second}
		for failures := 0; ; {
			err := c.follow(ctx, topic, options, &s, func(event Event) bool {
				failures = 0
				return yield(event, nil)
			})
			var problem *Problem
			switch {
			case errors.Is(err, errEnough):
				return
			case ctx.Err() != nil:
				yield(Event{}, ctx.Err())
				return
			case errors.As(err, &problem) && !isPassing(problem.Status):
				yield(Event{}, err)
				return
			}
			failures++
			if s.lastID == "" && time.Duration(failures)*s.retry > c.patience {
				yield(Event{}, err)
				return
			}
			c.at.Add(1)
			select {
			case <-ctx.Done():
			case <-time.After(s.retry):
			}
		}
	}
}

var errEnough = errors.New("nobody wants more")

// follow reads one connection to its end.
func (c *Client) follow(ctx context.Context, topic string, options SubscribeOptions, s *stream, give func(Event) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	values := url.Values{"valueFormat": {"base64"}, "key": options.Keys}
	set(values, "from", options.From)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url()+topicPath(topic, "events")+query(values), nil)
	if err != nil {
		return fmt.Errorf("ottla: %w", err)
	}
	if s.lastID != "" {
		request.Header.Set("Last-Event-ID", s.lastID)
	}
	// Heartbeats come far more often than that.
	silence := time.AfterFunc(time.Minute, cancel)
	defer silence.Stop()
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ottla: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return problemOf(answer)
	}
	s.begin()
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("ottla: %w", err)
		}
		silence.Reset(time.Minute)
		event, err := s.line(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return err
		}
		if event != nil && !give(*event) {
			return errEnough
		}
	}
}

// stream takes lines of server-sent events (WHATWG HTML §9.2).
type stream struct {
	// Where it goes on: behind the last event that came whole.
	lastID string
	// Of the event that is coming.
	id, name string
	data     []string
	retry    time.Duration
}

// begin forgets what came of an event whose connection has ended.
func (s *stream) begin() { s.id, s.name, s.data = s.lastID, "", nil }

func (s *stream) line(line string) (*Event, error) {
	if line == "" {
		return s.end()
	}
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "data":
		s.data = append(s.data, value)
	case "id":
		s.id = value
	case "event":
		s.name = value
	case "retry":
		if after, err := strconv.Atoi(value); err == nil {
			s.retry = time.Duration(after) * time.Millisecond
		}
	}
	return nil, nil
}

func (s *stream) end() (*Event, error) {
	name, data := s.name, s.data
	s.lastID = s.id
	s.begin()
	// Others than messages tell of gaps, which the offsets show, too.
	if len(data) == 0 || (name != "" && name != "message") {
		return nil, nil
	}
	var wire wireRecord
	if err := json.Unmarshal([]byte(strings.Join(data, "\n")), &wire); err != nil {
		return nil, fmt.Errorf("ottla: %w", err)
	}
	return &Event{wire.record(), s.lastID}, nil
}
