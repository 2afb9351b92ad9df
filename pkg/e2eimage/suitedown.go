package e2eimage

import "context"

// Down takes away all that the consumer has recorded in the namespace, or with Only those
// images: their tags on nodes, the records, and what builds left on this host. It is no
// error that nothing is there. What something still uses is left, and listed in an
// *InUseError; RemoveWorkloads deletes what this suite deployed first.
func (s *Suite) Down(ctx context.Context, options ...Option) error {
	chosen, suite, _, err := s.call(ctx, VerbDown, options)
	if err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, limit(chosen.Timeout, DefaultVerbTimeout))
	defer cancel()
	if chosen.RemoveWorkloads {
		if err := s.removeWorkloads(ctx, suite); err != nil {
			return &verbError{ended(ctx, classify(err))}
		}
	}
	_, err = s.client.Clean(ctx, chosen.cleanInput(suite))
	return err
}
