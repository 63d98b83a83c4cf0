// What the log's own threads are called, and how they share the processor with the others.
#pragma once

namespace almanac::this_thread {

// As tools that list threads show it; at most 15 characters.
void set_name(const char* name);

// Waking this thread does not take the processor from who woke it: for work that is done beside
// something more urgent. Its share of a busy processor stays what it was.
void give_way();

}  // namespace almanac::this_thread
