"""Late-interaction retrieval on arrays: from the vectors of pages to ranked candidates, scores and answer regions.

What other packages use:

- `multivector`, `sketch`, `word_boxes`, `boxes`: what is stored of a page, encoded and decoded;
- `weights`: a query of several parts, as one set of vectors, and long queries as shorter ones;
- `codes`: the compact form of vectors, four bits for each dimension;
- `plan`, `segment`, `sketch_scan`, `candidates`: which pages become candidates, chosen by sketches in memory;
- `sketch_files`: the same sketches in files that processes share;
- `maxsim`, `top_k`: exact scores, and the best of them;
- `identifiers`, `fusion`: identifiers in a query, and scores fused with the words of a page;
- `regions`: where on a page the answer is;
- `parallel`: how many searches run, which decides whether one uses several processors;
- `arrays`: the array types of all of these;
- `files`, `lru_cache`, `ttl_cache`, `stopwatch`: caches and timings of a search.

`pooling`, `single_threaded_blas` and `kernels` are internal.
"""
