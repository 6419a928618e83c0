-- Of runs from a table: Python, which reads configs, stops at a depth of a thousand.
select error('a config or versions has over 500 braces')
from incoming_runs
where length(regexp_replace(concat(config::varchar, versions::varchar), '[^\[{]', '', 'g')) > 500
limit 1;
