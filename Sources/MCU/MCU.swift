// The room of MCU.
