// GPUs in a line each, for the overview.
import type { GpuRow } from '../api/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Link } from '../parts/link.tsx';
import { Meter } from '../parts/meter.tsx';
import { Section } from '../parts/section.tsx';
import { bytes } from '../parts/text.ts';

export function GpuBrief({ gpus }: { gpus: GpuRow[] }) {
  return (
    <Section title="GPU">
      {gpus.length === 0 ? (
        <p class="notice">No GPU is watched.</p>
      ) : (
        <ul class="names">
          {gpus.map((gpu) => {
            const used = gpu.used ?? gpu.own ?? 0;
            return (
              <li key={`${gpu.gpu} ${gpu.heap}`}>
                <Link to="gpu">{gpu.name}</Link> <Badge state={gpu.presence} />{' '}
                <Badge state={gpu.level} />
                <Meter used={used} size={gpu.size} text={`${bytes(used)} of ${bytes(gpu.size)}`} />
              </li>
            );
          })}
        </ul>
      )}
    </Section>
  );
}
