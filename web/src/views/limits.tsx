// What tasks share, and how much of it is in use.
import type { Limit, Page } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Facts } from '../parts/facts.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { oneLine } from '../parts/text.ts';

export function LimitsView() {
  const reading = useRead<Page<Limit>>('/v1/limits');
  return (
    <>
      <h1>Limits</h1>
      <Read of={reading}>
        {(limits) =>
          limits.items.length === 0 ? (
            <Empty>Tasks share nothing that is limited.</Empty>
          ) : (
            limits.items.map((limit, i) => {
              const { limit: named, name, ...rest } = limit;
              const title = named ?? name ?? `Limit ${i + 1}`;
              return (
                <Section key={title} title={title}>
                  <Facts
                    facts={Object.entries(rest).map(([key, value]) => [
                      key.replaceAll('_', ' '),
                      oneLine(value),
                    ])}
                  />
                </Section>
              );
            })
          )
        }
      </Read>
    </>
  );
}
