# SPDX-License-Identifier: GPL-2.0-only
# From samples to figures, verdicts and comparisons; pure.

# Between two samples: on the line between them.
def quantile($q):
  sort as $s | ((($s | length) - 1) * $q) as $at | ($at | floor) as $i
  | $s[$i] + (($s[$i + 1] // $s[$i]) - $s[$i]) * ($at - $i);

# Median and the middle half; none where a value is no number, for what is left out flatters.
def finite: type == "number" and (isnan | not) and (isinfinite | not);
def summary:
  if length == 0 or any(.[]; finite | not) then null
  else { value: quantile(0.5), lower_value: quantile(0.25), upper_value: quantile(0.75),
         samples: length } end;

# Whether the values of all rounds are clear of the noise: the median is above zero by more than the
# width of the middle half, times five by the root of the number of rounds where they are fewer than
# 25. The median of n rounds is uncertain by 0.93 of that width by the root of n, so these are five
# standard errors; more rounds do not make up for a machine that wanders. Of 3 rounds of nothing but
# noise two sets in 100 pass, of 6 one, of 15 not one in 1,000.
def clear:
  length as $n | summary
  | . != null and $n >= 3
    and .value > (.upper_value - .lower_value) * ([1, 5 / ($n | sqrt)] | max);

# Lines of "ROUND SERIES VALUE LOST" to objects.
def samples:
  split("\n") | map(select(length > 0) | split(" ")
  | { round: .[0], series: .[1], value: (.[2] | tonumber), lost: (.[3] | tonumber) });

# The values of each round: [{series: value, ...}, ...].
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

# Three significant digits.
def digits:
  def plain: (fabs | log10 | floor) as $e | pow(10; 2 - $e) as $k | (. * $k | round) / $k
    | if $e >= 2 then round else . end | tostring;
  if . == null then "-" elif . == 0 then "0"
  elif fabs >= 999500 then (. / 1e6 | plain) + "M"
  elif fabs >= 9995 then (. / 1e3 | plain) + "k"
  else plain end;

# The expressions of a row. The figure is that of value or, with the unit x, that of value / to; with
# another unit, to makes the ratio that is compared with a baseline, of ratio or else of value. A
# difference is written over(.A; .B).
def over(a; b): a - b;
def expressions: [.value, .ratio, .to] | map(select(.)) | join(" ");
def names: [ scan("\\.([a-z_][a-z0-9_]*)") | .[0] ] | unique;
def difference: "over\\(\\.([a-z0-9_]+); \\.([a-z0-9_]+)\\)";

# Complaints about the definitions of rows, so that no difference and no divisor goes unchecked.
def definition_errors:
  .[] | (expressions | gsub(difference; "")) as $rest
  | if $rest | test("-|over") then "\(.name): a difference that is not written over(.A; .B)"
    elif $rest | test("/") then "\(.name): a divisor that is not in to="
    elif .unit == "x" and .to == null then "\(.name): a ratio without to="
    else empty end;

# Why the rounds of a row make no figure. $own are those with any of its series, $whole those with
# all of them.
def unclear($what):
  if clear then empty
  else summary as $s | "\($what) is not clear of the noise: \($s.value | digits), middle half "
    + "\($s.lower_value | digits) .. \($s.upper_value | digits) in \(length) rounds" end;
def missing($names; $own):
  $names[] | . as $n | [ $own[] | select(has($n) | not) ] | length
  | if . > 0 then "\($n) was not measured in \(.) of \($own | length) rounds" else empty end;
def not_clear($row; $whole; to):
  ($row | expressions | [ match(difference; "g") ] | unique_by(.string)[]
   | . as $d | [ $whole[] | .[$d.captures[0].string] - .[$d.captures[1].string] ]
   | unclear($d.string)),
  if $row.to and ($row.to | test("^" + difference + "$") | not) then
    [ $whole[] | to ]
    | unclear(if $row.to | test("rival") then "the best of the others" else $row.to end)
  else empty end;

def verdict($row):
  if .void != [] then "void"
  elif .figure == null then "failed"
  elif $row.target == null then "-"
  elif ($row.better == "lower" and .figure.value <= $row.target)
    or ($row.better == "higher" and .figure.value >= $row.target) then "met"
  else "missed" end;

# One row with its figures. value, ratio and to are the row's expressions, of one round.
def figures($row; $samples; $rounds; value; ratio; to):
  ($row | expressions | names) as $names
  | [ $rounds[] | select($names - keys != $names) ] as $own
  | [ $own[] | select($names - keys == []) ] as $whole
  | [ $whole[] | select($row.to) | to as $to
      | if $to == 0 then nan else ratio / $to end ] as $ratios
  | (if $row.unit == "x" then $ratios else [ $whole[] | value ] end) as $values
  | { figure: ($values | summary), ratio: ($ratios | summary),
      lost: ([ $samples[] | select(.series as $s | $names | index($s)) | .lost ] | add // 0),
      parts: [ $names[] as $n | { name: $n, value: ([ $samples[] | select(.series == $n) | .value ]
              | summary | .value?) } ] }
  | .void = [ if .lost > 0 then "\(.lost) records were lost" else empty end,
              missing($names; $own),
              if $whole == [] then empty else not_clear($row; $whole; to) end,
              if all($values[]; finite) then empty else "a round has no finite figure" end ]
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
      | worse(.better; $now[$n].ratio.value; $baseline[$n].ratio.value) as $w
      | select($w > $percent)
      | { name: $n, before: $baseline[$n].ratio.value, now: $now[$n].ratio.value, worse: $w } ];

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
