// Package ottla pushes to, pulls from and subscribes at an ottla broker over HTTP.
//
//	client, err := ottla.New("http://localhost:9092")
//	place, err := client.Push(ctx, "orders", ottla.Message{Key: []byte("k"), Value: []byte(`{"id": 1}`)})
//
// Keys and values are bytes, as they are in the topic. A Client may be used by many goroutines.
package ottla
