# SPDX-License-Identifier: GPL-2.0-only
# From samples to figures, verdicts and comparisons; pure.

# Between two samples: on the line between them.
def quantile($q):
  sort as $s | ((($s | length) - 1) * $q) as $at | ($at | floor) as $i
  | $s[$i] + (($s[$i + 1] // $s[$i]) - $s[$i]) * ($at - $i);

# Median and the middle half.
def summary:
  map(select(. != null and (isnan | not) and (isinfinite | not)))
  | if length == 0 then null
    else { value: quantile(0.5), lower_value: quantile(0.25), upper_value: quantile(0.75),
           samples: length } end;

# Lines of "ROUND SERIES VALUE LOST" to objects.
def samples:
  split("\n") | map(select(length > 0) | split(" ")
  | { round: .[0], series: .[1], value: (.[2] | tonumber), lost: (.[3] | tonumber) });

# What was measured together: [{series: value, ...}, ...].
def rounds: group_by(.round) | map(map({ (.series): .value }) | add);

# Of { name: value, ... }, which f makes of a round: the value here of the one that has the lowest median
# over all rounds, times $sign. Not the lowest of each round, which is lower than any of them is.
def rival($rounds; f; $sign):
  (try f catch {}) as $here
  | [ $rounds[] | (try f catch {}) | to_entries[] | select(.value != null) ]
  | group_by(.key) | map({ key: .[0].key, median: (map(.value) | quantile(0.5)) })
  | min_by(.median * $sign) | if . then $here[.key] else null end;
def lower_rival($rounds; f): rival($rounds; f; 1);
def higher_rival($rounds; f): rival($rounds; f; -1);

# The series that an expression like ".a / .b" names.
def names: [ scan("\\.([a-z_][a-z0-9_]*)") | .[0] ] | unique;

def verdict($row):
  if .figure == null then "failed"
  elif .lost > 0 then "void"
  elif $row.target == null then "-"
  elif ($row.better == "lower" and .figure.value <= $row.target)
    or ($row.better == "higher" and .figure.value >= $row.target) then "met"
  else "missed" end;

# One row with its figures. $values and $ratios are those of each round.
def figures($row; $samples; $values; $ratios):
  (($row.value + " " + ($row.ratio // "")) | names) as $names
  | { figure: ($values | summary), ratio: ($ratios | summary),
      lost: ([ $samples[] | select(.series as $s | $names | index($s)) | .lost ] | add // 0),
      parts: [ $names[] as $n | { name: $n, value: ([ $samples[] | select(.series == $n) | .value ]
              | summary | .value?) } ] }
  | $row + . + { verdict: verdict($row) };

# Bencher Metric Format. What is void or failed is no figure.
def bmf_measure: { value, lower_value, upper_value };
def bmf:
  map(select(.verdict != "void" and .verdict != "failed")
      | { (.name): ({ (.measure): (.figure | bmf_measure) }
          + if .ratio then { ratio: (.ratio | bmf_measure) } else {} end) }) | add // {};

# How many percent worse: 16 is 1.16 times the cost, or 0.84 times the rate.
def worse($better; $now; $before):
  if $before == 0 then 0
  elif $better == "lower" then ($now / $before - 1) * 100
  else (1 - $now / $before) * 100 end;

# Names of rows whose ratio got more than $percent worse than in $baseline (BMF), with how much.
def regressions($rows; $baseline; $percent):
  . as $now
  | [ $rows[] | .name as $n | select($now[$n].ratio and $baseline[$n].ratio)
      | worse(.ratio_better; $now[$n].ratio.value; $baseline[$n].ratio.value) as $w
      | select($w > $percent)
      | { name: $n, before: $baseline[$n].ratio.value, now: $now[$n].ratio.value, worse: $w } ];

# Three significant digits.
def digits:
  def plain: (fabs | log10 | floor) as $e | pow(10; 2 - $e) as $k | (. * $k | round) / $k
    | if $e >= 2 then round else . end | tostring;
  if . == null then "-" elif . == 0 then "0"
  elif fabs >= 999500 then (. / 1e6 | plain) + "M"
  elif fabs >= 9995 then (. / 1e3 | plain) + "k"
  else plain end;

# Median and, behind a slash, half the distance of the quartiles.
def with_noise:
  if . == null then "-"
  else "\(.value | digits)/\((.upper_value - .lower_value) / 2 | digits)" end;

# The series PREFIX NAME _ WHAT of samples as a table: a line for each name, a column for each what.
def matrix($prefix):
  map(select(.series | startswith($prefix)) | .series |= ltrimstr($prefix)
      | { name: (.series | sub("_.*"; "")), what: (.series | sub("^[^_]*_"; "")), value })
  | . as $cells | (reduce .[].what as $w ([]; if index($w) then . else . + [$w] end)) as $whats
  | (reduce .[].name as $n ([]; if index($n) then . else . + [$n] end)) as $names
  | [["", $whats[]]] + [ $names[] as $n | [$n, ($whats[] as $w
      | [ $cells[] | select(.name == $n and .what == $w) | .value ] | summary | with_noise)] ];

# A table as lines with columns of equal width.
def aligned:
  def pad($n): . + " " * ($n - length) // .;
  (transpose | map(map(length) | max)) as $widths
  | .[] | . as $line | [ range(length) | . as $i | $line[$i] | pad($widths[$i]) ] | join("  ");
