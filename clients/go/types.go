package ottla

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Message is a record to be written. A nil Key is none, a nil Value deletes the key in a compacted topic. Without a
// Partition the key decides, without a Time the broker's clock.
type Message struct {
	Key, Value []byte
	Headers    map[string]string
	Partition  *int32
	Time       time.Time
}

// Place is where a record was written.
type Place struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      time.Time
}

// Record is a record that was read. A header that comes more than once has all its values.
type Record struct {
	Topic      string
	Partition  int32
	Offset     int64
	Time       time.Time
	Key, Value []byte
	Headers    map[string][]string
}

// Page is what was there of one partition, and where to go on.
type Page struct {
	Records       []Record
	NextOffset    int64
	HighWatermark int64
	StartOffset   int64
}

// Event is a record that came by a subscription. ID is where the reader then stands in all partitions.
type Event struct {
	Record
	ID string
}

// Problem is how the broker says no, and why (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Name is Kafka's own, where it has one: UNKNOWN_TOPIC_OR_PARTITION.
	Name string `json:"error"`
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return "ottla: " + p.Title
	}
	return "ottla: " + p.Title + ": " + p.Detail
}

// Is makes errors.Is(err, ErrLeaseOver) and errors.Is(err, ErrNotFound) work.
func (p *Problem) Is(target error) bool {
	switch target {
	case ErrLeaseOver:
		return strings.HasSuffix(p.Type, ":lease-over")
	case ErrNotFound:
		return p.Status == http.StatusNotFound
	}
	return false
}

var (
	// ErrLeaseOver: somebody else may have the record by now.
	ErrLeaseOver = fmt.Errorf("ottla: the lease is over")
	// ErrNotFound: there is no such topic, group or partition.
	ErrNotFound = fmt.Errorf("ottla: not found")
)

// On the wire keys and values are base64, so that any bytes pass.
type wireBytes struct {
	bytes []byte
}

func (b wireBytes) MarshalJSON() ([]byte, error) {
	if b.bytes == nil {
		return []byte("null"), nil
	}
	return json.Marshal(map[string][]byte{"base64": b.bytes})
}

func (b *wireBytes) UnmarshalJSON(text []byte) error {
	var content *struct {
		Base64 []byte `json:"base64"`
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return err
	}
	b.bytes = nil
	if content != nil {
		b.bytes = append([]byte{}, content.Base64...)
	}
	return nil
}

// One text, or a list of them; what is no text is left as JSON.
type wireHeader []string

func (h *wireHeader) UnmarshalJSON(text []byte) error {
	var many []json.RawMessage
	if json.Unmarshal(text, &many) != nil {
		many = []json.RawMessage{text}
	}
	for _, each := range many {
		var value string
		if json.Unmarshal(each, &value) != nil {
			value = string(each)
		}
		*h = append(*h, value)
	}
	return nil
}

type wireRecord struct {
	Topic     string                `json:"topic"`
	Partition int32                 `json:"partition"`
	Offset    int64                 `json:"offset"`
	Timestamp int64                 `json:"timestamp"`
	Key       wireBytes             `json:"key"`
	Value     wireBytes             `json:"value"`
	Headers   map[string]wireHeader `json:"headers"`
}

func (w wireRecord) record() Record {
	headers := make(map[string][]string, len(w.Headers))
	for name, values := range w.Headers {
		headers[name] = values
	}
	return Record{w.Topic, w.Partition, w.Offset, time.UnixMilli(w.Timestamp), w.Key.bytes, w.Value.bytes, headers}
}

type wireMessage struct {
	Key       wireBytes         `json:"key"`
	Value     wireBytes         `json:"value"`
	Headers   map[string]string `json:"headers,omitempty"`
	Partition *int32            `json:"partition,omitempty"`
	Timestamp *int64            `json:"timestamp,omitempty"`
}

func (m Message) wire() wireMessage {
	wire := wireMessage{Key: wireBytes{m.Key}, Value: wireBytes{m.Value}, Headers: m.Headers, Partition: m.Partition}
	if !m.Time.IsZero() {
		at := m.Time.UnixMilli()
		wire.Timestamp = &at
	}
	return wire
}
