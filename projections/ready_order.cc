#include <almanac/projections/ready_order.h>

namespace almanac {

bool ReadyOrder::insert(const ReadyKey& key) noexcept {
  Places* places = lanes_.edit(key.lane);
  if (places == nullptr) {
    lanes_.insert(key.lane, {});
    places = lanes_.edit(key.lane);
  }
  if (!places->insert(key.place)) return false;
  ++size_;
  return true;
}

bool ReadyOrder::erase(const ReadyKey& key) noexcept {
  Places* places = lanes_.edit(key.lane);
  if (places == nullptr || !places->erase(key.place)) return false;
  if (places->empty()) lanes_.erase(key.lane);
  --size_;
  return true;
}

bool ReadyOrder::contains(const ReadyKey& key) const {
  const Places* places = lanes_.find(key.lane);
  return places != nullptr && places->contains(key.place);
}

}  // namespace almanac
