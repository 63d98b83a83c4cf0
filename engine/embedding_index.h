// Embeddings of one length, found by their direction: all of them are compared, or, once there is a
// graph (HNSW), those that lie on the way. The only door to FAISS, which makes the graph. What is
// compared is in a table of ours (embedding_table.h): FAISS as distributions build it, for every
// processor of a kind, adds number by number and waits for each.
//
// The same embeddings in the same order give the same graph and the same answers: levels are drawn
// from a fixed seed, and one thread adds them one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

// A handle. One thread may add, or many search.
class EmbeddingIndex {
 public:
  // Numbers of their place, dense from 0.
  using Slot = std::uint32_t;
  using Wanted = std::function<bool(Slot)>;

  explicit EmbeddingIndex(std::uint32_t dimension);
  ~EmbeddingIndex();
  EmbeddingIndex(const EmbeddingIndex&) = delete;
  EmbeddingIndex& operator=(const EmbeddingIndex&) = delete;

  [[nodiscard]] std::uint32_t dimension() const { return dimension_; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool has_graph() const;
  // Not all zero. With a graph it takes some tenths of a millisecond.
  Slot add(std::span<const float> embedding);
  // Takes as long as adding each does, and ends early where it returns false: then there is none.
  bool build_graph(const std::function<bool()>& go_on);

  // The nearest of those that are wanted, which is asked while searching: at most `count`, the
  // nearest first. Exact without a graph, and where the graph leads to few that are wanted.
  [[nodiscard]] std::vector<Slot> search(std::span<const float> query, std::size_t count,
                                         const Wanted& wanted) const;

 private:
  struct Parts;
  [[nodiscard]] std::vector<Slot> search_all(std::span<const float> query, std::size_t count,
                                             const Wanted& wanted) const;
  [[nodiscard]] std::optional<std::vector<Slot>> search_graph(std::span<const float> query,
                                                              std::size_t count,
                                                              const Wanted& wanted) const;
  void link(Slot slot);

  std::uint32_t dimension_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
