package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// warnLeft says which tags are left, since something uses them.
func (a *app) warnLeft(result *e2eimage.CleanResult, dry bool) {
	all := slices.Clone(result.Left)
	for _, image := range result.Images {
		all = append(all, image.Left...)
	}
	for _, line := range e2eimage.DescribeLeft(all, dry) {
		a.reporter().Warn(line + "; delete what uses it first, or give --force")
	}
}

// printCleaned prints a line for each thing that is gone, or would be.
func (a *app) printCleaned(result *e2eimage.CleanResult, dry bool) error {
	verb := " removed"
	if dry {
		verb = " would be removed"
	}
	for _, orphan := range result.Orphans {
		if err := a.println(orphan.Image + verb); err != nil {
			return err
		}
	}
	for _, image := range result.Images {
		if err := each(image.Removed, func(tag string) error { return a.println(tag + verb) }); err != nil {
			return err
		}
		if len(image.Freed) > 0 {
			a.reporter().Info(fmt.Sprintf("%s: nothing uses the image any more; removed it from %s", image.Name,
				strings.Join(image.Freed, ", ")))
		}
		var more []string
		if image.RecordRemoved {
			more = append(more, fmt.Sprintf("record %s/%s/%s", result.Namespace, result.Consumer, image.Name))
		}
		more = append(more, image.Host...)
		if image.LockRemoved {
			more = append(more, fmt.Sprintf("lock %s/%s", result.Consumer, image.Name))
		}
		if err := each(more, func(one string) error { return a.println(one + verb) }); err != nil {
			return err
		}
	}
	var disk []string
	for _, freed := range result.Disk {
		disk = append(disk, progress.Bytes(freed.Bytes)+" on "+freed.Node)
	}
	if len(disk) > 0 {
		a.reporter().Info("disk space freed: " + strings.Join(disk, ", "))
	}
	return nil
}
