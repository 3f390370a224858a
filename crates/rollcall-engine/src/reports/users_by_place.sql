-- users_by_place: parameters $from, $to (instants), $level ('country' or 'subdivision'), $country and $app (null: all).
-- Hong Kong, Macau and Taiwan are one place each, whether written as countries or as subdivisions of China. A row without a place
-- holds the users whose place is never known at this level. A stay of no length counts at its instant.
WITH stays AS (
  SELECT user_id,
         coalesce(country, split_part(subdivision, '-', 1)) AS country,
         subdivision
  FROM attendance
  WHERE joined_at < $to
    AND (left_at > $from OR (left_at = joined_at AND joined_at >= $from))
    AND ($app IS NULL OR app = $app)
),
placed AS (
  SELECT user_id,
         CASE
           WHEN $level = 'country' THEN
             CASE WHEN subdivision IN ('CN-HK', 'CN-MO', 'CN-TW') THEN split_part(subdivision, '-', 2) ELSE country END
           WHEN country IN ('HK', 'MO', 'TW') THEN 'CN-' || country
           ELSE subdivision
         END AS place
  FROM stays
),
rows AS (
  SELECT DISTINCT user_id, CASE WHEN $country IS NULL OR split_part(place, '-', 1) = $country THEN place END AS place
  FROM placed
)
SELECT place, count(*) AS users
FROM rows
WHERE place IS NOT NULL OR user_id NOT IN (SELECT user_id FROM rows WHERE place IS NOT NULL)
GROUP BY place
ORDER BY place IS NULL, users DESC, place;
