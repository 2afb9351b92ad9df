package containerd

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Write is a blob on its way into a node's content store. What is written is sent
// without waiting for the answers; they are counted aside.
type Write struct {
	client  *Client
	ref     string
	stream  grpc.BidiStreamingClient[content.WriteContentRequest, content.WriteContentResponse]
	ctx     context.Context
	cancel  context.CancelCauseFunc
	written func(bytes int64)

	sent int64
	// answers ends when the stream does.
	answers chan struct{}

	mu       sync.Mutex
	waiting  int
	limit    time.Duration
	silence  *time.Timer
	received int64
	err      error
}

// Write begins a blob; ref is unique. written is told of each bytes more that the node has.
// The caller ends it with Lease.Commit or Abort.
func (l *Lease) Write(ctx context.Context, ref string, written func(bytes int64)) (*Write, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stream, err := l.client.content.Write(ctx)
	if err != nil {
		cancel(nil)
		return nil, l.client.failure(ctx, "Content/Write", err)
	}
	w := &Write{
		client: l.client, ref: ref, stream: stream, ctx: ctx, cancel: cancel, written: written,
		answers: make(chan struct{}),
	}
	w.silence = time.AfterFunc(callLimit, func() {
		cancel(&NoResponseError{Method: "Content/Write", After: callLimit})
	})
	w.silence.Stop()
	go w.receive()
	return w, w.send(&content.WriteContentRequest{Action: content.WriteAction_STAT, Ref: ref}, callLimit)
}

// receive counts what the node answers.
func (w *Write) receive() {
	defer close(w.answers)
	for {
		answer, err := w.stream.Recv()
		w.mu.Lock()
		if err != nil {
			w.silence.Stop()
			if !errors.Is(err, io.EOF) {
				w.err = err
			}
			w.mu.Unlock()
			return
		}
		if w.waiting--; w.waiting == 0 {
			w.silence.Stop()
		} else {
			w.silence.Reset(w.limit)
		}
		more := answer.GetOffset() - w.received
		w.received = max(w.received, answer.GetOffset())
		w.mu.Unlock()
		if more > 0 {
			w.written(more)
		}
	}
}

// send gives the node limit to answer.
func (w *Write) send(request *content.WriteContentRequest, limit time.Duration) error {
	w.mu.Lock()
	w.waiting++
	w.limit = limit
	w.silence.Reset(limit)
	w.mu.Unlock()
	if err := w.stream.Send(request); err != nil {
		return w.failure(err)
	}
	return nil
}

// failure waits for what the node says: an error of sending is always EOF.
func (w *Write) failure(err error) error {
	<-w.answers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		err = w.err
	}
	return w.client.failure(w.ctx, "Content/Write", err)
}

// Send sends a part; data is not kept.
func (w *Write) Send(data []byte) error {
	err := w.send(&content.WriteContentRequest{Action: content.WriteAction_WRITE, Ref: w.ref, Offset: w.sent, Data: data},
		callLimit)
	w.sent += int64(len(data))
	return err
}

// commit ends the blob, which the node holds against its digest. existed is set
// where it had it already: then neither lease nor labels are its.
func (w *Write) commit(blob digest.Digest, labels map[string]string) (existed bool, err error) {
	defer w.cancel(nil)
	err = w.send(&content.WriteContentRequest{
		Action: content.WriteAction_COMMIT, Ref: w.ref, Offset: w.sent, Total: w.sent, Expected: blob.String(),
		Labels: labels,
	}, longLimit)
	if err == nil {
		_ = w.stream.CloseSend()
		<-w.answers
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			return false, nil
		}
		err = w.client.failure(w.ctx, "Content/Write", w.err)
	}
	if isCode(err, codes.AlreadyExists) || status.Code(err) == codes.AlreadyExists {
		return true, nil
	}
	return false, err
}

// Abort takes back what was written.
func (w *Write) Abort(ctx context.Context) {
	w.cancel(nil)
	<-w.answers
	_, _ = w.client.content.Abort(ctx, &content.AbortRequest{Ref: w.ref})
}
