"""The peer: faiss. Reads raw files, prints one JSON object a line, as hnswlib.cc does.

    faiss_peer.py BASE QUERIES TRUTH METRIC DIM K THREADS ROUNDS POINT_SECONDS RECALL_MAX hnsw|ivf P1 P2 EFFORT...

P1 and P2 are M and efConstruction of HNSW, the number of lists and nothing of IVF. Searches run on one thread.
"""

import json
import sys
import time

import faiss
import numpy


def build(kind, metric, dim, first, second):
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(dim, first, metric)
        index.hnsw.efConstruction = second
        return index
    quantizer = faiss.IndexFlat(dim, metric)
    index = faiss.IndexIVFFlat(quantizer, dim, first, metric)
    index.own_fields = True
    quantizer.this.disown()
    return index


def set_effort(kind, index, effort):
    if kind == "hnsw":
        index.hnsw.efSearch = effort
    else:
        index.nprobe = effort


def recall_of(found, truth):
    wanted = truth != 0xFFFFFFFF
    got = sum(
        numpy.isin(row[mask], hits).sum() for row, mask, hits in zip(truth, wanted, found.astype(numpy.uint32))
    )
    return got / max(1, wanted.sum())


def main():
    base_path, query_path, truth_path, metric_name = sys.argv[1:5]
    dim, k, threads, rounds = map(int, sys.argv[5:9])
    point_seconds, recall_max = map(float, sys.argv[9:11])
    kind = sys.argv[11]
    first, second, *efforts = map(int, sys.argv[12:])
    metric = faiss.METRIC_L2 if metric_name == "L2" else faiss.METRIC_INNER_PRODUCT
    base = numpy.fromfile(base_path, dtype=numpy.float32).reshape(-1, dim)
    queries = numpy.fromfile(query_path, dtype=numpy.float32).reshape(-1, dim)
    truth = numpy.fromfile(truth_path, dtype=numpy.uint32).reshape(-1, k)

    faiss.omp_set_num_threads(threads)
    index = build(kind, metric, dim, first, second)
    start = time.perf_counter()
    if not index.is_trained:
        index.train(base)
    index.add(base)
    seconds = time.perf_counter() - start
    size = int(faiss.serialize_index(index).nbytes)
    print(json.dumps({"kind": "build", "seconds": seconds, "sizeBytes": size}), flush=True)

    faiss.omp_set_num_threads(1)
    for effort in efforts:
        set_effort(kind, index, effort)
        best = float("inf")
        begin = time.perf_counter()
        for round_ in range(rounds):
            if round_ > 0 and time.perf_counter() - begin >= point_seconds:
                break
            start = time.perf_counter()
            _, found = index.search(queries, k)
            best = min(best, time.perf_counter() - start)
        rows = [[int(row) for row in own if row >= 0] for own in found]
        print(json.dumps({"kind": "search", "effort": effort, "seconds": best, "rows": rows}), flush=True)
        if recall_of(found, truth) >= recall_max:
            break


main()
