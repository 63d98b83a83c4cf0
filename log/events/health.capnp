@0xb7e20f4d91c5a836;
# The events of the health domain.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("almanac::schema");

enum Health {
  healthy @0;
  degraded @1;                 # it works, and somebody should look
  unhealthy @2;                # much of it does not
}

struct HealthChanged {         # of what an engine keeps an eye on, once it has lasted
  from @0 :Health;
  to @1 :Health;
  reasons @2 :Text;            # a line for each, the worst first
}
