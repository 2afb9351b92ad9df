package hostengine

import "context"

func (m Machine) docker(ctx context.Context) ([]Variable, error) { return nil, nil }
