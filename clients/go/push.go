package ottla

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Push writes one record, once, even when it has to be sent twice. It returns when all in-sync replicas have it.
func (c *Client) Push(ctx context.Context, topic string, message Message) (Place, error) {
	places, err := c.PushAll(ctx, topic, []Message{message})
	if err != nil {
		return Place{}, err
	}
	return places[0], nil
}

// PushAll writes records in one request. On an error some of them may be written.
func (c *Client) PushAll(ctx context.Context, topic string, messages []Message) ([]Place, error) {
	records := make([]wireMessage, len(messages))
	for i, message := range messages {
		records[i] = message.wire()
	}
	var found struct {
		Records []struct {
			Partition int32    `json:"partition"`
			Offset    int64    `json:"offset"`
			Timestamp int64    `json:"timestamp"`
			Error     *Problem `json:"error"`
		} `json:"records"`
	}
	err := c.ask(ctx, call{
		method: http.MethodPost,
		path:   topicPath(topic, "records"),
		body:   map[string]any{"records": records},
		header: map[string]string{"Idempotency-Key": newKey()},
		again:  true,
	}, &found)
	if err != nil {
		return nil, err
	}
	places := make([]Place, len(found.Records))
	for i, each := range found.Records {
		if each.Error != nil {
			return nil, each.Error
		}
		places[i] = Place{topic, each.Partition, each.Offset, time.UnixMilli(each.Timestamp)}
	}
	if len(places) != len(messages) {
		return nil, fmt.Errorf("ottla: %d records were sent, %d came back", len(messages), len(places))
	}
	return places, nil
}

// PushLines writes a record for each line of JSON (`{"key": …, "value": …}`) while it reads them, however many there are.
// It is not tried again: after an error some lines may be written. It returns how many were, and the first problem of a line.
func (c *Client) PushLines(ctx context.Context, topic string, lines io.Reader) (int64, error) {
	// Lines can be read only once: first somebody must be there.
	if err := c.Health(ctx); err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url()+topicPath(topic, "records"), lines)
	if err != nil {
		return 0, fmt.Errorf("ottla: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, fmt.Errorf("ottla: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return 0, problemOf(answer)
	}
	var summary struct {
		Written int64 `json:"written"`
		Errors  []struct {
			Line  int64    `json:"line"`
			Error *Problem `json:"error"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&summary); err != nil {
		return 0, fmt.Errorf("ottla: %w", err)
	}
	for _, each := range summary.Errors {
		return summary.Written, fmt.Errorf("line %d: %w", each.Line, each.Error)
	}
	return summary.Written, nil
}
