package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
)

// A sample is one value of one series; at counts milliseconds.
type sample struct {
	labels labels.Labels
	at     int64
	value  float64
}

// A scrape is one answer of a target.
type scrape struct {
	At     int64             `json:"at"`
	Labels map[string]string `json:"labels"`
	Text   string            `json:"text"`
}

var stale = math.Float64frombits(value.StaleNaN)

// samples answers everything that is seen in this life, in the order of time.
func (one life) samples() ([]sample, error) {
	if one.Interval <= 0 {
		return nil, errors.New("interval is not positive")
	}
	found, err := one.sequences()
	if err != nil {
		return nil, err
	}
	before := map[string][]sample{}
	for _, answer := range one.Scrapes {
		target := labels.FromMap(answer.Labels).String()
		seen, err := answer.samples()
		if err != nil {
			return nil, fmt.Errorf("the scrape of %s at %d s: %w", target, answer.At, err)
		}
		found = append(append(found, seen...), gone(before[target], seen)...)
		before[target] = seen
	}
	slices.SortStableFunc(found, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	return found, nil
}

// sequences answers what stands there as promtool's unit tests write it.
func (one life) sequences() ([]sample, error) {
	found := []sample{}
	for series, values := range one.Series {
		name, sequence, err := language.ParseSeriesDesc(series + " " + values)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", series, values, err)
		}
		for number, next := range sequence {
			if !next.Omitted {
				found = append(found, sample{name, int64(number) * one.Interval * 1000, next.Value})
			}
		}
	}
	return found, nil
}

// samples reads the text as a scrape does: the target's labels stand beside those of the metric, which yields where both have one.
func (answer scrape) samples() ([]sample, error) {
	found := []sample{answer.up()}
	text := textparse.NewPromParser([]byte(answer.Text), labels.NewSymbolTable(), false)
	for {
		entry, err := text.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var own labels.Labels
		text.Labels(&own)
		_, _, number := text.Series()
		found = append(found, sample{answer.labelled(own), answer.At * 1000, number})
	}
}

// up is what Prometheus itself says of a target.
func (answer scrape) up() sample {
	number := 1.0
	if answer.Text == "" {
		number = 0
	}
	return sample{answer.labelled(labels.FromStrings(labels.MetricName, "up")), answer.At * 1000, number}
}

func (answer scrape) labelled(own labels.Labels) labels.Labels {
	builder := labels.NewBuilder(own)
	for name, text := range answer.Labels {
		if there := own.Get(name); there != "" {
			builder.Set("exported_"+name, there)
		}
		builder.Set(name, text)
	}
	return builder.Labels()
}

// gone marks what a target served before and does not serve any more.
func gone(before, seen []sample) []sample {
	at, here := seen[0].at, map[string]bool{}
	for _, one := range seen {
		here[one.labels.String()] = true
	}
	marks := []sample{}
	for _, one := range before {
		if !here[one.labels.String()] {
			marks = append(marks, sample{one.labels, at, stale})
		}
	}
	return marks
}
