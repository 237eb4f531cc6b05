package ottla

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// PullOptions say whose records are taken, and how.
type PullOptions struct {
	// Group defaults to "default". Workers of one group share the records, each group gets all of them.
	Group string
	// Max defaults to 1.
	Max int
	// Wait is how long to wait for a first record.
	Wait time.Duration
	// Lease is how long nobody else gets them; 0: as is usual at the broker.
	Lease time.Duration
	// From is where a group begins that is new to the topic: "earliest" (default) or "latest".
	From string
}

// Lease is a record that is ours alone for a while.
type Lease struct {
	Record
	ID string
	// DeliveryCount is 1 for the first time.
	DeliveryCount int
	client        *Client
}

// Pull takes records that nobody else of the group has; none when there is none in time.
func (c *Client) Pull(ctx context.Context, topic string, options PullOptions) ([]Lease, error) {
	values := url.Values{"valueFormat": {"base64"}, "waitMs": {ms(options.Wait)}}
	set(values, "group", options.Group)
	set(values, "from", options.From)
	if options.Max > 0 {
		values.Set("max", strconv.Itoa(options.Max))
	}
	if options.Lease > 0 {
		values.Set("leaseMs", ms(options.Lease))
	}
	var found struct {
		Records []struct {
			wireRecord
			LeaseID       string `json:"leaseId"`
			DeliveryCount int    `json:"deliveryCount"`
		} `json:"records"`
	}
	// An answer that is lost leaves leases behind that end by themselves.
	asked := call{method: http.MethodPost, path: topicPath(topic, "pull"), query: values, again: true, wait: options.Wait}
	if err := c.ask(ctx, asked, &found); err != nil {
		return nil, err
	}
	leases := make([]Lease, len(found.Records))
	for i, each := range found.Records {
		leases[i] = Lease{each.record(), each.LeaseID, each.DeliveryCount, c}
	}
	return leases, nil
}

// Ack says that it is done.
func (l Lease) Ack(ctx context.Context) error { return l.settle(ctx, "ack", nil) }

// Release gives it back: somebody else shall try, after the delay.
func (l Lease) Release(ctx context.Context, delay time.Duration) error {
	return l.settle(ctx, "release", url.Values{"delayMs": {ms(delay)}})
}

// Reject says that nobody can do it: it becomes a dead letter.
func (l Lease) Reject(ctx context.Context, reason string) error {
	values := url.Values{}
	set(values, "reason", reason)
	return l.settle(ctx, "reject", values)
}

// Renew asks for more time, from now on; 0: as is usual at the broker.
func (l Lease) Renew(ctx context.Context, duration time.Duration) error {
	values := url.Values{}
	if duration > 0 {
		values.Set("leaseMs", ms(duration))
	}
	return l.settle(ctx, "renew", values)
}

func (l Lease) settle(ctx context.Context, action string, values url.Values) error {
	path := topicPath(l.Topic, "leases", l.ID, action)
	return l.client.ask(ctx, call{method: http.MethodPost, path: path, query: values, again: true}, nil)
}

func ms(duration time.Duration) string { return strconv.FormatInt(duration.Milliseconds(), 10) }

func set(values url.Values, name, value string) {
	if value != "" {
		values.Set(name, value)
	}
}
