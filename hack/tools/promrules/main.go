// Command promrules says what Prometheus makes of alerting rules, by Prometheus' own code.
//
//	promrules RULES < CASES
//
// RULES is a rule file (the spec of a PrometheusRule is one); one that Prometheus would not load ends the program. CASES are
// JSON objects, one a line, and each is a life of its own that begins with nothing known:
//
//	interval  seconds between two samples of a series, and between two evaluations
//	until     seconds, the last evaluation
//	series    {"metric{label=\"value\"}": "0x10 1 _ stale"}: samples as promtool's unit tests write them, from 0 on
//	scrapes   [{"at": seconds, "labels": {...}, "text": "..."}]: what a target with these labels served then; "" for no answer
//
// A line is answered for each: {"told": [...]}, every change of state of every alert in the order of time, with labels and
// annotations as a person gets them; or {"error": ...}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

var language = parser.NewParser(parser.Options{})

type life struct {
	Interval int64             `json:"interval"`
	Until    int64             `json:"until"`
	Series   map[string]string `json:"series"`
	Scrapes  []scrape          `json:"scrapes"`
}

type change struct {
	At          int64             `json:"at"`
	Alert       string            `json:"alert"`
	State       string            `json:"state"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "promrules:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("use: promrules RULES < CASES")
	}
	if _, err := load(args[0], time.Minute, nil, nil); err != nil {
		return err
	}
	cases, answers := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	cases.DisallowUnknownFields()
	for {
		var one life
		if err := cases.Decode(&one); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		told, err := live(args[0], one)
		answer := map[string]any{"told": told}
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

// load reads the rules as Prometheus does at its start: what it would refuse is an error.
func load(file string, interval time.Duration, engine *promql.Engine, db *tsdb.DB) ([]*rules.Group, error) {
	options := &rules.ManagerOptions{
		Context:    context.Background(),
		Logger:     promslog.NewNopLogger(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Parser:     language,
	}
	if db != nil {
		options.QueryFunc, options.Appendable, options.Queryable = rules.EngineQueryFunc(engine, db), db, db
	}
	found, errs := rules.NewManager(options).LoadGroups(interval, labels.EmptyLabels(), "", nil, false, file)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	groups := make([]*rules.Group, 0, len(found))
	for _, group := range found {
		groups = append(groups, group)
	}
	sort.Slice(groups, func(i, j int) bool { return groups[i].Name() < groups[j].Name() })
	return groups, nil
}

// live answers what is told in one life.
func live(file string, one life) ([]change, error) {
	samples, err := one.samples()
	if err != nil {
		return nil, err
	}
	db, forget, err := memory()
	if err != nil {
		return nil, err
	}
	defer forget()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 5_000_000, Timeout: time.Minute, Parser: language})
	defer engine.Close()
	groups, err := load(file, time.Duration(one.Interval)*time.Second, engine, db)
	if err != nil {
		return nil, err
	}
	return one.play(db, groups, samples)
}

// play takes the samples in as they come, and evaluates every rule at every interval.
func (one life) play(db *tsdb.DB, groups []*rules.Group, samples []sample) ([]change, error) {
	watch := watcher{known: map[string]change{}, told: []change{}}
	for at := int64(0); at <= one.Until; at += one.Interval {
		rest, err := take(db, samples, at*1000)
		if err != nil {
			return nil, err
		}
		samples = rest
		for _, group := range groups {
			group.Eval(context.Background(), time.Unix(at, 0))
		}
		if err := watch.look(groups, at); err != nil {
			return nil, err
		}
	}
	return watch.told, nil
}

// memory is a database of Prometheus for one life.
func memory() (*tsdb.DB, func(), error) {
	folder, err := os.MkdirTemp("", "promrules")
	if err != nil {
		return nil, nil, err
	}
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1
	options.RetentionDuration = 0
	db, err := tsdb.Open(folder, nil, nil, options, nil)
	if err != nil {
		os.RemoveAll(folder)
		return nil, nil, err
	}
	return db, func() { db.Close(); os.RemoveAll(folder) }, nil
}

// take stores what was seen by then, and answers the rest.
func take(db *tsdb.DB, samples []sample, until int64) ([]sample, error) {
	appender := db.Appender(context.Background())
	for len(samples) > 0 && samples[0].at <= until {
		if _, err := appender.Append(0, samples[0].labels, samples[0].at, samples[0].value); err != nil {
			return nil, fmt.Errorf("%s at %d ms: %w", samples[0].labels, samples[0].at, err)
		}
		samples = samples[1:]
	}
	return samples, appender.Commit()
}

// A watcher remembers in which state each alert was.
type watcher struct {
	known map[string]change
	told  []change
}

func (w *watcher) look(groups []*rules.Group, at int64) error {
	now := map[string]change{}
	for _, group := range groups {
		for _, rule := range group.Rules() {
			if err := rule.LastError(); err != nil {
				return fmt.Errorf("%s at %d s: %w", rule.Name(), at, err)
			}
			if alerting, is := rule.(*rules.AlertingRule); is {
				for _, alert := range alerting.ActiveAlerts() {
					now[alert.Labels.String()] = change{at, rule.Name(), alert.State.String(), alert.Labels.Map(), alert.Annotations.Map()}
				}
			}
		}
	}
	for key, before := range w.known {
		if _, is := now[key]; !is {
			before.At, before.State = at, rules.StateInactive.String()
			now[key] = before
		}
	}
	w.tell(now)
	return nil
}

// tell keeps what has changed; an alert that is over is forgotten.
func (w *watcher) tell(now map[string]change) {
	keys := make([]string, 0, len(now))
	for key := range now {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if w.known[key].State != now[key].State {
			w.told = append(w.told, now[key])
		}
		if w.known[key] = now[key]; now[key].State == rules.StateInactive.String() {
			delete(w.known, key)
		}
	}
}
