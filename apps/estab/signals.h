// SIGINT and SIGTERM as a question.
#pragma once

namespace estab::app {

void catch_signals();
bool interrupted();

}  // namespace estab::app
