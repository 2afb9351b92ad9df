package config

// Field is one of an image's fields that only some verbs use.
type Field string

// Fields that Need knows.
const (
	FieldSource     Field = "source"
	FieldRepository Field = "repository"
	FieldPrebuilt   Field = "prebuilt"
)

// Need reports, in a *UsageError, which of these fields could not be filled in.
func (i Image) Need(fields ...Field) error {
	var found problems
	i.need(fields, &found)
	return found.err()
}

// Need is Image.Need for every image.
func (s Suite) Need(fields ...Field) error {
	var found problems
	for _, image := range s.Images {
		image.need(fields, &found)
	}
	return found.err()
}

func (i Image) need(fields []Field, found *problems) {
	for _, field := range fields {
		if problem, ok := i.Unfilled[field]; ok {
			found.add(said(problem.Where), "%s", problem.What)
		}
	}
}
