// Package progress is how a verb tells its caller what it is doing. It must not
// know any verb, and nothing here may write to stdout: that carries results. What is
// told may be in others' words; those who draw it make it harmless for a terminal.
package progress

// Reporter is told about the steps of a verb. Implementations are safe for
// concurrent use: several nodes report at once.
type Reporter interface {
	// Start announces a step that takes time. The function that it returns
	// ends the step and is called exactly once, with nil when it succeeded.
	Start(step string) (end func(error))
	// Transfer announces bytes on their way to a place; total is 0 where nobody
	// knows how many. It is ended as a step is.
	Transfer(to string, total int64) Transfer
	// Info reports what was done or decided.
	Info(message string)
	// Warn reports what the user should know although the verb goes on.
	Warn(message string)
}

// Transfer is told how far it is.
type Transfer interface {
	// Add reports more bytes. It is safe for concurrent use.
	Add(bytes int64)
	// End is called exactly once.
	End(err error)
}

// Discard reports nothing.
type Discard struct{}

var _ Reporter = Discard{}

// Start implements Reporter.
func (Discard) Start(string) func(error) { return func(error) {} }

// Transfer implements Reporter.
func (Discard) Transfer(string, int64) Transfer { return discarded{} }

type discarded struct{}

func (discarded) Add(int64) {}
func (discarded) End(error) {}

// Info implements Reporter.
func (Discard) Info(string) {}

// Warn implements Reporter.
func (Discard) Warn(string) {}
