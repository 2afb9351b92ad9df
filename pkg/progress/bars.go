package progress

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// bars are drawn while bytes are on their way, a line for each place; the steps'
// line is not.
type bars struct {
	container *mpb.Progress
	running   int
}

// Transfer implements Reporter.
func (s *Spinner) Transfer(to string, total int64) Transfer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars == nil {
		_, _ = s.out.Write([]byte(clearLine))
		s.bars = &bars{container: mpb.New(mpb.WithOutput(s.out), mpb.ForceAutoRefresh(), mpb.WithRefreshRate(interval), mpb.WithWidth(max(s.width-1, 20)))}
	}
	s.bars.running++
	counters, end := decor.Current(decor.SizeB1000(0), "% .1f", decor.WCSyncSpace), decor.Name("")
	if total > 0 {
		counters = decor.Counters(decor.SizeB1000(0), "% .1f/% .1f", decor.WCSyncSpace)
		end = decor.AverageETA(decor.ET_STYLE_MMSS, decor.WCSyncSpace)
	}
	bar := s.bars.container.AddBar(total,
		mpb.PrependDecorators(decor.Name(foreign.Line(to), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(counters, decor.AverageSpeed(decor.SizeB1000(0), "% .1f", decor.WCSyncSpace), end))
	return &transferBar{spinner: s, bar: bar}
}

type transferBar struct {
	spinner *Spinner
	bar     *mpb.Bar
}

// Add implements Transfer.
func (t *transferBar) Add(bytes int64) { t.bar.IncrInt64(bytes) }

// End implements Transfer.
func (t *transferBar) End(err error) {
	if err != nil {
		t.bar.Abort(false)
	} else {
		t.bar.SetTotal(-1, true)
	}
	s := t.spinner
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars.running--; s.bars.running == 0 {
		s.bars.container.Wait()
		s.bars = nil
		s.draw()
	}
}
