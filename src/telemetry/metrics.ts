import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { asMishardsError } from '../errors/index.ts';

/** Seconds; from a search in memory to a flush on slow storage. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of one process, in Prometheus's text format. Names start with `mishards_`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'role' | 'method' | 'code'>;
  readonly #inFlight: Gauge<'role' | 'method'>;

  readonly #storage: Histogram<'operation' | 'code'>;
  readonly #storageBytes: Counter<'operation'>;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#registry.setDefaultLabels(labels);
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'mishards_request_seconds',
      help: 'Time from the arrival of a request to its answer, by outcome',
      labelNames: ['role', 'method', 'code'],
      buckets: LATENCY_BUCKETS,
      registers: [this.#registry],
    });
    this.#storage = new Histogram({
      name: 'mishards_object_store_seconds',
      help: 'Time of a call to shared storage, by outcome',
      labelNames: ['operation', 'code'],
      buckets: LATENCY_BUCKETS,
      registers: [this.#registry],
    });
    this.#storageBytes = new Counter({
      name: 'mishards_object_store_bytes_total',
      help: 'Bytes of objects moved to and from shared storage',
      labelNames: ['operation'],
      registers: [this.#registry],
    });
    this.#inFlight = new Gauge({
      name: 'mishards_requests_in_flight',
      help: 'Requests that have arrived and are not answered',
      labelNames: ['role', 'method'],
      registers: [this.#registry],
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  /** Counts and times `body`; the code is `OK` or the error's. */
  async measure<Result>(role: string, method: string, body: () => Promise<Result>): Promise<Result> {
    const end = this.#requests.startTimer({ role, method });
    this.#inFlight.inc({ role, method });
    try {
      const result = await body();
      end({ code: 'OK' });
      return result;
    } catch (error) {
      end({ code: asMishardsError(error).code });
      throw error;
    } finally {
      this.#inFlight.dec({ role, method });
    }
  }

  /** A value read when the metrics are. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `mishards_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Counts, times and weighs calls to shared storage. */
  readonly objectStoreMeter = (call: ObjectStoreCall): void => {
    this.#storage.observe({ operation: call.operation, code: call.error ?? 'OK' }, call.durationMs / 1000);
    this.#storageBytes.inc({ operation: call.operation }, call.bytes);
  };
}

export interface ObjectStoreCall {
  readonly operation: string;
  readonly error: string | undefined;
  readonly durationMs: number;
  readonly bytes: number;
}
