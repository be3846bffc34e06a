from django.db import migrations

# Texts are made simple before Postgres takes them apart: its parser reads INV-2023-0042 as a word and two negative
# numbers. Letters of scripts that do not part their words stand alone.
_APART = r"""
CREATE FUNCTION paliapi_words_apart(folded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
regexp_replace(
    regexp_replace(folded, '([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])', ' \1 ', 'g'),
    '[^[:alnum:]]+', ' ', 'g'
)
"""
# Identifiers whole, however they are written: inv20230042.
_JOINED = r"""
CREATE FUNCTION paliapi_words_joined(folded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
(
    SELECT coalesce(string_agg(regexp_replace(word[1], '[^[:alnum:]]+', '', 'g'), ' '), '')
    FROM regexp_matches(folded, '[[:alnum:]]+(?:[^[:alnum:][:space:]]+[[:alnum:]]+)+', 'g') AS word
)
"""
# The owner is a word of each of his pages, so that the index finds one owner's words among those of thousands.
_LEXEMES = """
CREATE FUNCTION paliapi_lexemes(owner bigint, content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    folded text := lower(normalize(left(content, 50000), NFKC));
    apart text := paliapi_words_apart(folded);
BEGIN
    RETURN array_to_tsvector(ARRAY['#' || owner])
        || to_tsvector('pg_catalog.english', apart)
        || strip(to_tsvector('pg_catalog.simple', apart))
        || strip(to_tsvector('pg_catalog.simple', paliapi_words_joined(folded)));
END
$$
"""
# What a question asks for: identifiers, and stems; or every word, where there are none but the most common ones.
_ASKED = """
CREATE FUNCTION paliapi_asked(content text, OUT identifiers text[], OUT words text[])
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    folded text := lower(normalize(left(content, 50000), NFKC));
    apart text := paliapi_words_apart(folded);
BEGIN
    identifiers := tsvector_to_array(to_tsvector('pg_catalog.simple', paliapi_words_joined(folded)));
    words := tsvector_to_array(to_tsvector('pg_catalog.english', apart));
    IF words = '{}' THEN
        words := tsvector_to_array(to_tsvector('pg_catalog.simple', apart));
    END IF;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0005_outage")]

    operations = [
        migrations.RunSQL(
            sql=[_APART, _JOINED, _LEXEMES, _ASKED],
            reverse_sql=[
                "DROP FUNCTION paliapi_asked(text)",
                "DROP FUNCTION paliapi_lexemes(bigint, text)",
                "DROP FUNCTION paliapi_words_joined(text)",
                "DROP FUNCTION paliapi_words_apart(text)",
            ],
        ),
        migrations.RunSQL(
            # Unknown to the models on purpose: no query shall bring it along.
            sql=[
                "ALTER TABLE collections_app_page "
                "ADD COLUMN lexemes tsvector GENERATED ALWAYS AS (paliapi_lexemes(owner_id, text)) STORED",
                "CREATE INDEX page_lexemes ON collections_app_page USING gin (lexemes)",
            ],
            reverse_sql=["ALTER TABLE collections_app_page DROP COLUMN lexemes"],
        ),
    ]
