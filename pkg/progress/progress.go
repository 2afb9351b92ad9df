// Package progress is how a verb tells its caller what it is doing. It must not
// know any verb, and nothing here may write to stdout: that carries results. What is
// told may be in others' words; those who show it make it harmless for a terminal.
package progress

import "time"

// Reporter is told about the steps of a verb. Tell and NewLines make one. Whoever implements
// it embeds Discard, so that methods can be added; it is safe for concurrent use, since
// several images and nodes report at once.
type Reporter interface {
	// Start announces a step that takes time.
	Start(step Step) Running
	// Output passes on a line that a command printed, such as a build. of names the
	// image where several are worked on, "" otherwise. It returns false where nobody
	// sees the line.
	Output(of, line string) (shown bool)
	// Info reports what was done or decided.
	Info(message string)
	// Warn reports what the user should know although the verb goes on.
	Warn(message string)

	reporter()
}

// Step is something that takes time, in plain words.
type Step struct {
	// Doing says it while it goes on: "Checking 3 nodes".
	Doing string
	// Done says it when it has succeeded: "Checked 3 nodes". "" where only its result
	// is worth telling.
	Done string
}

// Running is a step under way. Whoever implements it embeds Unheard, so that methods can be
// added.
type Running interface {
	// Now says how far it is, such as "0/2 ready". It takes the place of what it said
	// before.
	Now(state string)
	// Result says what came of it, in place of Done. It is told however short the step
	// was, once that has succeeded.
	Result(text string)
	// End is called exactly once, with nil when the step succeeded.
	End(err error)

	running()
}

// Short is how long a step takes at most that is not worth telling.
const Short = 500 * time.Millisecond

// Discard reports nothing.
type Discard struct{}

var _ Reporter = Discard{}

// Start implements Reporter.
func (Discard) Start(Step) Running { return Unheard{} }

// Output implements Reporter.
func (Discard) Output(string, string) bool { return false }

// Info implements Reporter.
func (Discard) Info(string) {}

// Warn implements Reporter.
func (Discard) Warn(string) {}

func (Discard) reporter() {}

// Unheard is a step that nobody hears of.
type Unheard struct{}

var _ Running = Unheard{}

// Now implements Running.
func (Unheard) Now(string) {}

// Result implements Running.
func (Unheard) Result(string) {}

// End implements Running.
func (Unheard) End(error) {}

func (Unheard) running() {}
