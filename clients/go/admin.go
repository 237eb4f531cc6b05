package ottla

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ReadOptions say which records of a partition.
type ReadOptions struct {
	Partition int32
	// From is an offset, "earliest" (default) or "latest".
	From string
	// Max defaults to 100.
	Max int
	// Wait is how long to wait for a first record.
	Wait time.Duration
}

// Records reads without a group, and remembers nothing.
func (c *Client) Records(ctx context.Context, topic string, options ReadOptions) (Page, error) {
	values := url.Values{
		"valueFormat": {"base64"},
		"partition":   {strconv.Itoa(int(options.Partition))},
		"waitMs":      {ms(options.Wait)},
	}
	set(values, "offset", options.From)
	if options.Max > 0 {
		values.Set("maxRecords", strconv.Itoa(options.Max))
	}
	var found struct {
		Records        []wireRecord `json:"records"`
		NextOffset     int64        `json:"nextOffset"`
		HighWatermark  int64        `json:"highWatermark"`
		LogStartOffset int64        `json:"logStartOffset"`
	}
	asked := call{method: http.MethodGet, path: topicPath(topic, "records"), query: values, again: true, wait: options.Wait}
	if err := c.ask(ctx, asked, &found); err != nil {
		return Page{}, err
	}
	page := Page{make([]Record, len(found.Records)), found.NextOffset, found.HighWatermark, found.LogStartOffset}
	for i, each := range found.Records {
		page.Records[i] = each.record()
	}
	return page, nil
}

// NewTopic is a topic to be made; what is zero is the brokers' default.
type NewTopic struct {
	Name              string            `json:"name"`
	Partitions        int32             `json:"partitions,omitempty"`
	ReplicationFactor int16             `json:"replicationFactor,omitempty"`
	Configs           map[string]string `json:"configs,omitempty"`
}

// Topic is a topic and its partitions.
type Topic struct {
	Name       string      `json:"name"`
	ID         string      `json:"topicId"`
	Internal   bool        `json:"internal"`
	Partitions []Partition `json:"partitions"`
}

// Partition is what is known of one. Leader, Start and End are nil while nobody leads it.
type Partition struct {
	Number   int32   `json:"partition"`
	Leader   *int32  `json:"leader"`
	Replicas []int32 `json:"replicas"`
	InSync   []int32 `json:"isr"`
	Start    *int64  `json:"start"`
	End      *int64  `json:"end"`
}

// CreateTopic makes a topic.
func (c *Client) CreateTopic(ctx context.Context, topic NewTopic) (Topic, error) {
	var made Topic
	err := c.ask(ctx, call{method: http.MethodPost, path: "/topics", body: topic}, &made)
	return made, err
}

// Topic describes a topic.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	var found Topic
	err := c.ask(ctx, call{method: http.MethodGet, path: topicPath(name), again: true}, &found)
	return found, err
}

// Topics gives the names of all topics.
func (c *Client) Topics(ctx context.Context) ([]string, error) {
	var found struct {
		Topics []struct {
			Name string `json:"name"`
		} `json:"topics"`
	}
	if err := c.ask(ctx, call{method: http.MethodGet, path: "/topics", again: true}, &found); err != nil {
		return nil, err
	}
	names := make([]string, len(found.Topics))
	for i, each := range found.Topics {
		names[i] = each.Name
	}
	return names, nil
}

// DeleteTopic deletes a topic and all its records.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
	return c.ask(ctx, call{method: http.MethodDelete, path: topicPath(name)}, nil)
}

// Group is a consumer group, and how far it is.
type Group struct {
	Name    string `json:"group"`
	State   string `json:"state"`
	Lag     int64  `json:"lag"`
	Offsets []struct {
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Committed *int64 `json:"committed"`
		End       *int64 `json:"end"`
		Lag       *int64 `json:"lag"`
	} `json:"offsets"`
}

// Group describes a consumer group.
func (c *Client) Group(ctx context.Context, name string) (Group, error) {
	var found Group
	err := c.ask(ctx, call{method: http.MethodGet, path: groupPath(name), again: true}, &found)
	return found, err
}

// Health is nil when the node serves clients.
func (c *Client) Health(ctx context.Context) error {
	return c.ask(ctx, call{method: http.MethodGet, path: "/health", again: true}, nil)
}
